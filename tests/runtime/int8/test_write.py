import dataclasses
import json
import sys
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from PIL import Image

from convatlas.cli.bench import command as bench_command
from convatlas.cli.export import command
from convatlas.data.idx_sets import mnist
from convatlas.errors import UserError
from convatlas.runtime import auto, cases, export, measure
from convatlas.runtime.bundle import BundleCard, prepare, read_bundle
from convatlas.runtime.closeness import agreement
from convatlas.runtime.engines.engine import Job
from convatlas.runtime.format_names import INT8
from convatlas.runtime.formats import CARD_KEY, FORMATS
from convatlas.runtime.int8.quantised import Plan
from convatlas.runtime.int8.sample import Sample
from convatlas.runtime.network import Network
from convatlas.runtime.onnx_file import Form
from convatlas.runtime.opened import open_classifier
from convatlas.runtime.sessions import onnx_runner, openvino_core
from convatlas.workbench.export import export as write_network
from convatlas.workbench.int8 import Int8, check


@pytest.fixture
def plan(sample: Sample) -> Plan:
    """Half the pictures: these tests are not about figures."""
    assert sample.labels is not None
    few = dataclasses.replace(sample, judged=sample.judged[:400], labels=sample.labels[:400])
    return Plan(few)


@pytest.mark.parametrize("to", INT8)
@pytest.mark.parametrize(
    "form", [Form(), Form(fused=True), Form(dynamic_batch=False)], ids=["plain", "fused", "one"]
)
def test_files_in_int8(to: str, form: Form, digits: Network, plan: Plan, tmp_path: Path) -> None:
    receipt = export.export(digits, to, tmp_path / "net", form, plan)
    assert sorted(tmp_path.iterdir()) == sorted(receipt.files)  # nothing else is left
    card = receipt.card
    assert card.precision == "int8"
    assert card.quantised is not None
    assert card.quantised.method == ("nncf" if to == "openvino" else "onnxruntime")
    assert card.quantised.agreement >= 0.99
    assert card.compared[0].agreement == card.quantised.agreement
    assert ("nncf" in card.versions) == (to == "openvino")
    run = FORMATS[to].open(digits, receipt.files[-1])
    for count in (1, 3) if form.dynamic_batch else (1,):
        pictures = plan.sample.judged[:count]
        plain = dataclasses.replace(form, fused=False)
        expected = digits.eager(
            np.asarray(prepare(export.make_card(digits, plain), pictures), np.float32)
        )
        found = run(prepare(card, pictures))
        assert agreement(found, expected) == 1


def test_the_card_travels_inside(digits: Network, plan: Plan, tmp_path: Path) -> None:
    files = {to: export.export(digits, to, tmp_path / to, plan=plan).files[-1] for to in INT8}
    bundle = read_bundle(files["bundle"]).card
    entries = {e.key: e.value for e in onnx.load(files["onnx"]).metadata_props}
    model = openvino_core().read_model(files["openvino"])
    texts = entries[CARD_KEY], model.get_rt_info(CARD_KEY).astype(str)
    by_onnx, by_openvino = (msgspec.json.decode(text, type=BundleCard) for text in texts)
    assert by_onnx == bundle
    assert by_openvino.quantised is not None
    assert by_openvino.quantised.method == "nncf"
    assert by_openvino.quantised.judged == 400


def test_a_card_of_before_is_read() -> None:
    card = BundleCard(network="old", input=(None, 1, 8, 8), opset=20)
    fields = json.loads(msgspec.json.encode(card))
    del fields["quantised"]
    assert msgspec.json.decode(json.dumps(fields), type=BundleCard) == card


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_an_int8_bundle_classifies_files(
    engine: str, digits: Network, plan: Plan, tmp_path: Path
) -> None:
    bundle = export.export(digits, "bundle", tmp_path / "net", plan=plan).files[0]
    pictures = mnist().train
    file = tmp_path / "digit.png"
    right = 0
    classifier = open_classifier(bundle, engine=engine)
    for number in range(-20, 0):
        Image.fromarray(pictures.images[number, 0].numpy()).save(file)
        found = classifier.probabilities(classifier.decode(file))
        right += int(found.argmax() == pictures.labels[number])
    assert right >= 18


def test_nothing_is_left_of_what_is_refused(
    digits: Network, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    black = dataclasses.replace(plan.sample, calibrating=np.zeros_like(plan.sample.calibrating))
    for to in INT8:
        with pytest.raises(UserError, match="int8 loses"):
            export.export(digits, to, tmp_path / "net", plan=Plan(black))
    with pytest.raises(UserError, match="torchscript is written as float32 alone; int8 goes with"):
        export.export(digits, "torchscript", tmp_path / "net", plan=plan)
    original = cases.cases

    def off(network: Network, form: Form) -> list[cases.Case]:
        made = original(network, form)
        return [dataclasses.replace(c, expected=c.expected + np.float32(1)) for c in made]

    monkeypatch.setattr(export, "cases", off)
    with pytest.raises(UserError, match="onnx computes something else than lenet-bn"):
        export.export(digits, "bundle", tmp_path / "net", plan=plan)
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_what_was_judged(
    digits: Network, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = FORMATS["onnx"]

    def save(model: bytes, card: BundleCard, path: Path) -> None:
        kind.save(kind.make(digits, Form()), card, path)  # not quantised

    monkeypatch.setitem(FORMATS, "onnx", dataclasses.replace(kind, save=save))
    with pytest.raises(UserError, match="something else than what was judged"):
        export.export(digits, "onnx", tmp_path / "net", plan=plan)
    assert not list(tmp_path.iterdir())


def test_the_command(digits_run: Path, tmp_path: Path) -> None:
    def call(*arguments: str | Path) -> str:
        ran = CliRunner().invoke(command, [*map(str, arguments)], catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return ran.output

    out = call(digits_run, "--int8", "mnist", "--out", tmp_path / "a")
    assert "int8        5 of 5 layers by onnxruntime, weights of" in out
    assert "calibrated  on 300 pictures of mnist" in out
    assert "judged      on 5000 others, a fifth of its training part: best class equal in" in out
    assert "% in int8: a drop of " in out
    record = json.loads(call(digits_run, "--int8", "mnist", "--out", tmp_path / "b", "--json"))
    assert record["precision"] == "int8"
    assert record["quantised"]["judged"] == 5000
    assert record["quantised"]["float_layers"] == []
    plain = json.loads(call(digits_run, "--out", tmp_path / "c", "--json"))
    assert "quantised" not in plain
    assert record["bytes"] < plain["bytes"] / 2
    assert onnx_runner(read_bundle(tmp_path / "a.convatlas").model)


def test_drawn_weights_are_said_to_be(pictures: Path, tmp_path: Path) -> None:
    data = f"folder:{pictures}"
    receipt = write_network(
        "lenet-relu", "onnx", tmp_path / "net", int8=Int8(data=data, min_agreement=0.0)
    )
    assert receipt.card.quantised is not None
    assert receipt.card.quantised.accuracy is None
    assert receipt.card.quantised.unknown == "the network's weights are drawn, not trained"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--max-drop", "2"], "go with --int8 DATA; add it"),
        (["--int8", "mnst"], "unknown data set 'mnst'; did you mean 'mnist'"),
        (["--int8", "mnist", "--to", "safetensors"], "int8 goes with --to bundle, onnx, openvino"),
    ],
)
def test_mistakes_are_named(arguments: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        CliRunner().invoke(
            command,
            ["lenet-bn", "--out", str(tmp_path / "n"), *arguments],
            catch_exceptions=False,
        )
    assert not list(tmp_path.iterdir())


def test_limits_are_shares() -> None:
    with pytest.raises(UserError, match=r"max_drop is a share from 0 to 1, given 3; 0\.01 is one"):
        check(Int8(data="mnist", max_drop=3.0), "bundle")


def test_bench_shows_what_int8_loses(digits_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convatlas.cli.bench.Effort", partial(measure.Effort, block=0.01))
    arguments = [str(digits_run), "--engines", "eager", "--int8", "mnist", "--json"]
    ran = CliRunner().invoke(bench_command, arguments, catch_exceptions=False)
    rows = {row["engine"]: row for row in json.loads(ran.stdout)}
    assert set(rows) == {"eager", "onnxruntime-int8", "openvino-int8"}
    for name in ("onnxruntime-int8", "openvino-int8"):
        assert rows[name]["agreement %"] >= 99
        assert rows[name]["drop"] <= 0.5
        assert rows[name]["layers in int8"] == "5 of 5"
        assert rows[name]["ms"] > 0
    assert rows["eager"]["drop"] == ""


def test_bench_says_why_int8_is_refused(digits_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convatlas.cli.bench.Effort", partial(measure.Effort, block=0.01))
    monkeypatch.setitem(sys.modules, "nncf", None)
    arguments = [str(digits_run), "--engines", "eager", "--int8", "mnist", "--json"]
    ran = CliRunner().invoke(bench_command, arguments, catch_exceptions=False)
    rows = {row["engine"]: row for row in json.loads(ran.stdout)}
    assert rows["openvino-int8"]["refused"].startswith("nncf is not installed")
    assert rows["onnxruntime-int8"]["ms"] > 0


def test_int8_is_never_the_choice(digits: Network) -> None:
    job = Job(network=digits)
    effort = measure.Effort(block=0.01)
    judged = {"fast-int8": lambda pixels: pixels[:, 0, 0]}
    choice = auto.choose(job, ("eager",), effort=effort, judged=judged)
    assert choice.name == "eager"
    assert {each.name for each in choice.measured} == {"eager", "fast-int8"}
