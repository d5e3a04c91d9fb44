import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from predicting import CONVATLAS, Run
from tiny_bundle import Tiny, tiny_bundle, tiny_card, tiny_model

from convatlas.data.extensions import EXTENSIONS
from convatlas.runtime.bundle import Bundle, write_bundle

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_one_picture_is_one_line(bundle: str, pics: str, predict: Run) -> None:
    ran = predict(bundle, "pics/even/00.png")
    # exp(10) beside twice exp(0)
    assert ran.stdout == "pics/even/00.png  red 100.0%, green 0.0%, blue 0.0%\n"
    assert ran.stderr == ""
    assert ran.returncode == 0
    top = predict(bundle, "pics/even/00.png", "--top", 1)
    assert top.stdout == "pics/even/00.png  red 100.0%\n"
    turned = predict(bundle, "pics/even/00.png", "--invert")
    assert turned.stdout == "pics/even/00.png  green 50.0%, blue 50.0%, red 0.0%\n"


def test_a_folder_is_done_whole_and_the_broken_named(bundle: str, pics: str, predict: Run) -> None:
    ran = predict(bundle, pics, "--top", 1)
    assert ran.returncode == 2
    lines = ran.stdout.splitlines()
    assert len(lines) == 11
    assert lines[0] == "pics/even/00.png  red 100.0%"
    assert lines[-1] == "pics/odd/11.png  green 100.0%"
    error, summary = ran.stderr.splitlines()
    assert error.startswith("error: pics/odd/07.png: broken or cut off")
    assert summary.startswith("11 done, 1 failed, 2 other files passed over, ")
    assert summary.endswith(" pictures/s")


@pytest.mark.parametrize("arguments", [("pics",), ("pics/**/*.png",), ("pics/even", "pics/o*/*")])
def test_json_is_one_array_with_an_object_a_line(
    arguments: tuple[str, ...], bundle: str, pics: str, predict: Run
) -> None:
    ran = predict(bundle, *arguments, "--json")
    records = json.loads(ran.stdout)
    assert len(records) == 12
    assert ran.stdout.count("\n") == 14
    for record in records:
        assert set(record) == {"path", "guesses", "error"}
        if record["path"] == "pics/odd/07.png":
            assert record["guesses"] == []
            assert record["error"].startswith("broken or cut off")
        else:
            wanted = "red" if "even" in record["path"] else "green"
            assert record["guesses"][0]["class"] == wanted
            assert record["guesses"][0]["index"] == ["red", "green"].index(wanted)
            assert sum(g["probability"] for g in record["guesses"]) == pytest.approx(1)


def test_csv_has_a_row_for_each(bundle: str, pics: str, predict: Run) -> None:
    ran = predict(bundle, pics, "--csv", "--top", 2)
    rows = list(csv.reader(io.StringIO(ran.stdout)))
    assert rows[0] == ["path", "class1", "probability1", "class2", "probability2", "error"]
    assert {len(row) for row in rows} == {6}
    assert len(rows) == 13
    [broken] = [row for row in rows if row[0] == "pics/odd/07.png"]
    assert broken[1:5] == [""] * 4
    assert broken[5].startswith("broken or cut off")
    # no more columns than there are classes
    wide = predict(bundle, "pics/even/00.png", "--csv", "--top", 50).stdout.splitlines()
    assert wide[0].endswith("class3,probability3,error")


def test_batches_threads_and_engines_change_nothing(bundle: str, pics: str, predict: Run) -> None:
    plain = predict(bundle, pics, "--csv").stdout
    for options in (
        *(("--batch", "1"), ("--batch", "5"), ("--batch", "999"), ("--threads", "1")),
        ("--engine", "openvino"),
    ):
        other = predict(bundle, pics, "--csv", *options).stdout
        for ours, theirs in zip(
            csv.DictReader(io.StringIO(other)), csv.DictReader(io.StringIO(plain)), strict=True
        ):
            assert ours["class1"] == theirs["class1"]
            # sums of float32 in another order
            assert float(ours["probability1"] or 0) == pytest.approx(
                float(theirs["probability1"] or 0), rel=1e-4
            )


@pytest.mark.parametrize("batch", [1, 4, 30])
def test_a_bundle_of_a_fixed_batch(batch: int, pics: str, tmp_path: Path, predict: Run) -> None:
    tiny_bundle(tmp_path / "f.convatlas", Tiny(batch=batch))
    ran = predict("f.convatlas", pics, "--top", 1)
    assert [line.split("  ")[1][:3] for line in ran.stdout.splitlines()] == ["red"] * 6 + [
        "gre"
    ] * 5


def test_names_from_standard_input(bundle: str, pics: str, predict: Run) -> None:
    names = [f"pics/even/{n:02}.png" for n in range(0, 12, 2)]
    for stdin in ("\n".join(names), "\0".join(names) + "\0", "\r\n".join([*names, ""])):
        ran = predict(bundle, "-", "--json", stdin=stdin)
        assert [record["path"] for record in json.loads(ran.stdout)] == names
        assert ran.returncode == 0
    both = predict(bundle, "pics/odd/01.png", "-", stdin=names[0])
    assert [line.split()[0] for line in both.stdout.splitlines()] == ["pics/odd/01.png", names[0]]
    empty = predict(bundle, "-", "--json")
    assert (empty.stdout, empty.returncode) == ("[]\n", 2)
    assert empty.stderr == "error: standard input names no files; write one a line\n"
    twice = predict(bundle, "-", "-")
    assert twice.stderr == "error: standard input can be read once; give - once\n"


def test_nothing_that_fits_is_said(bundle: str, pics: str, predict: Run) -> None:
    for argument, said in (
        ("pics/*.tiff", "error: pics/*.tiff: no picture fits this pattern; pictures are named"),
        ("cache", "error: cache: no picture in this folder; pictures are named .jpg"),
        ("none.png", "error: none.png: cannot be read: No such file or directory"),
    ):
        Path("cache").mkdir(exist_ok=True)
        ran = predict(bundle, argument, "--json")
        assert ran.returncode == 2
        assert ran.stderr.startswith(said)
        assert ran.stderr.count("\n") == 1
        assert len(json.loads(ran.stdout)) == 1


def test_names_that_are_no_unicode(bundle: str, pics: str, tmp_path: Path) -> None:
    name = b"caf\xe9.png"
    os.link("pics/even/00.png", name)
    for form in ("--json", "--csv", "--top=1"):
        ran = subprocess.run(
            [*map(os.fsencode, [*CONVATLAS, bundle]), name, form.encode()],
            capture_output=True,
            check=True,
        )
        if form == "--json":
            [record] = json.loads(ran.stdout)
            assert os.fsencode(record["path"]) == name
        else:
            assert name in ran.stdout


def test_what_would_move_the_cursor_or_break_the_line_is_escaped(
    bundle: str, pics: str, tmp_path: Path, predict: Run
) -> None:
    names = ["a\x1b[2Jb.png", "two\nlines.png", "\u202egnp.png", "日本\u3000é.png"]
    for name in names:
        os.link("pics/even/00.png", name)
    ran = predict(bundle, *names, "--top", 1)
    shown = [line.split("  ")[0] for line in ran.stdout.splitlines()]
    assert shown == [r"a\x1b[2Jb.png", r"two\nlines.png", r"\u202egnp.png", "日本\u3000é.png"]
    records = json.loads(predict(bundle, *names, "--json").stdout)
    assert [record["path"] for record in records] == names
    rows = list(csv.DictReader(io.StringIO(predict(bundle, *names, "--csv").stdout)))
    assert [row["path"] for row in rows] == names
    Path("no\x1bne.png").write_bytes(b"")
    failed = predict(bundle, "no\x1bne.png").stderr
    assert failed.startswith(r"error: no\x1bne.png: ")


def test_help_says_which_files_below_a_folder_are_pictures(predict: Run) -> None:
    said = " ".join(predict("--help").stdout.split())
    *others, last = EXTENSIONS
    assert f"a picture is a file whose name ends in {', '.join(others)} or {last}." in said


def test_two_forms_are_refused(bundle: str, pics: str, predict: Run) -> None:
    ran = predict(bundle, pics, "--json", "--csv")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == "error: --json and --csv are given; one form is printed, leave one out\n"


def test_labels_are_written_as_they_are(pics: str, tmp_path: Path, predict: Run) -> None:
    labels = ("crème, brûlée", 'say "cheese"', "日本")
    tiny_bundle(tmp_path / "l.convatlas", Tiny(labels=labels))
    assert labels[0] in predict("l.convatlas", "pics/even/00.png").stdout
    [record] = json.loads(predict("l.convatlas", "pics/even/00.png", "--json").stdout)
    assert {g["class"] for g in record["guesses"]} == set(labels)
    [row] = csv.DictReader(io.StringIO(predict("l.convatlas", "pics/even/00.png", "--csv").stdout))
    assert {row[f"class{n}"] for n in (1, 2, 3)} == set(labels)


def test_weights_that_were_drawn_are_warned_of(pics: str, tmp_path: Path, predict: Run) -> None:
    card = msgspec.structs.replace(
        tiny_card(Tiny()), source={"weights": "drawn at random (seed 0)"}
    )
    write_bundle(tmp_path / "d.convatlas", Bundle(card, tiny_model(Tiny())))
    ran = predict("d.convatlas", "pics/even/00.png")
    assert ran.returncode == 0
    assert ran.stderr == (
        "warning: d.convatlas was never trained; its weights are drawn at random (seed 0)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none", "x.png"], "error: there is no run folder none, nor a bundle of that name; "),
        (["none.convatlas", "x.png"], "error: there is no file none.convatlas; `convatlas export`"),
        (["pics", "x.png"], "error: pics holds no model.safetensors; is it a run folder?"),
        (
            ["t.convatlas", "x.png", "--engine", "foo"],
            "error: no engine 'foo' runs a bundle; known: onnxruntime, openvino, auto",
        ),
        (["pics", "x.png", "--engine", "foo"], "error: unknown engine 'foo'; known: eager, "),
        (["pics/list.txt", "x.png"], "error: pics/list.txt is no bundle, or damaged"),
        (["t.pt", "x.png"], "error: t.pt is named like torchscript, which is for other programs"),
        (["pics/even/00.png", "x.png"], "error: pics/even/00.png is no bundle, or damaged"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str, pics: str, predict: Run) -> None:
    Path("t.pt").touch()
    ran = predict(*arguments)
    assert ran.stderr.startswith(said)
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""
    assert ran.returncode == 2


PROBE = """
import json, sys
from convatlas.cli import main
sys.argv = ["convatlas", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_a_bundle_is_run_without_torch_and_what_else_is_slow(bundle: str, pics: str) -> None:
    out = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(["predict", bundle, "pics/even/00.png"])],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert out[0].startswith("pics/even/00.png  red")
    modules = set(json.loads(out[-1]))
    assert "onnxruntime" in modules
    heavy = {"torch", "onnx", "openvino", "rich", "pooch", "requests", "jinja2", "matplotlib"}
    assert not modules & (heavy | {"tempfile", "concurrent", "safetensors", "http"})


def test_a_large_bundle_is_kept_ready_and_answers_the_same(
    pics: str, tmp_path: Path, predict: Run
) -> None:
    tiny_bundle(tmp_path / "w.convatlas", Tiny(wide=60_000))
    first = predict("w.convatlas", "pics/even/00.png", "--json")
    assert [path.name for path in (tmp_path / "cache" / "engines").glob("*/*.onnx")]
    assert predict("w.convatlas", "pics/even/00.png", "--json").stdout == first.stdout
