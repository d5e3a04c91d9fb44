import copy
import dataclasses
import os
import stat
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
import torch
from runnable import network
from safetensors import safe_open

from convatlas.errors import UserError
from convatlas.runtime import formats
from convatlas.runtime.bundle import BundleCard, card_json, read_bundle
from convatlas.runtime.closeness import relative_error
from convatlas.runtime.export import export, make_card
from convatlas.runtime.format_names import SUFFIXES
from convatlas.runtime.formats import CARD_KEY, FORMATS
from convatlas.runtime.network import Network, random_pixels
from convatlas.runtime.onnx_file import Form


def one_weight_off(right: Network) -> Network:
    """The same with a single weight of the first convolution changed by half of the largest."""
    module = copy.deepcopy(right.module)
    weight = next(module.parameters())
    with torch.no_grad():
        weight[0, 0, 0, 0] += weight.abs().max() / 2
    return dataclasses.replace(right, module=module)


@pytest.mark.parametrize("to", FORMATS)
def test_a_file_with_one_wrong_weight_is_refused(
    to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = network("lenet-bn")
    wrong, real = one_weight_off(right), FORMATS[to]

    def make(given: Network, form: Form) -> object:
        assert given is right
        return real.make(wrong, form)

    monkeypatch.setitem(FORMATS, to, dataclasses.replace(real, make=make))
    (tmp_path / f"net{SUFFIXES[to]}").write_bytes(b"an older file")
    with pytest.raises(UserError, match="computes something else than lenet-bn"):
        export(right, to, tmp_path / "net")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"an older file"]


@pytest.mark.parametrize("to", FORMATS)
def test_files_have_the_rights_of_any_other(to: str, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        receipt = export(network("lenet-relu"), to, tmp_path / "net")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in receipt.files} == {0o640}


@pytest.mark.parametrize("to", FORMATS)
def test_what_is_opened_is_the_file(to: str, tmp_path: Path) -> None:
    small = network("lenet-bn")
    wrong, path = one_weight_off(small), tmp_path / f"net{SUFFIXES[to]}"
    FORMATS[to].save(FORMATS[to].make(wrong, Form()), make_card(small, Form()), path)
    fed = random_pixels((2, 1, 28, 28))
    found = FORMATS[to].open(small, path)(fed)
    assert relative_error(found, wrong.eager(fed)) < 1e-5
    assert relative_error(found, small.eager(fed)) > 1e-4


def card_in(to: str, path: Path) -> str:
    """The text of the card, by the means of the format alone."""
    if to == "bundle":
        return card_json(read_bundle(path).card)
    if to == "onnx":
        return {entry.key: entry.value for entry in onnx.load(path).metadata_props}[CARD_KEY]
    if to == "openvino":
        entry = ET.parse(path).getroot().find(f"rt_info/{CARD_KEY}")
        assert entry is not None
        return entry.attrib["value"]
    if to == "safetensors":
        with safe_open(path, "np") as weights:
            return str(weights.metadata()[CARD_KEY])
    extra = {"card.json": ""}
    if to == "torchscript":
        with formats.quiet():
            torch.jit.load(path, _extra_files=extra)
    else:
        torch.export.load(path, extra_files=extra)
    text = extra["card.json"]
    return text.decode() if isinstance(text, bytes) else text


@pytest.mark.parametrize("to", FORMATS)
def test_the_card_travels_in_the_formats_own_metadata(to: str, tmp_path: Path) -> None:
    small = dataclasses.replace(
        network("lenet-bn", prepared=True), source={"weights": "drawn"}, labels=tuple("0123456789")
    )
    receipt = export(small, to, tmp_path / "net")
    path = next(file for file in receipt.files if file.suffix != ".bin")
    found = msgspec.json.decode(card_in(to, path), type=BundleCard)
    assert found == receipt.card
    assert found.compared
    assert found.preparation == small.preparation
    assert found.source == {"weights": "drawn"}


@pytest.mark.parametrize("to", ["torchscript", "exported-program", "openvino"])
def test_a_file_of_any_size_answers_at_sizes_it_was_not_compared_at(
    to: str, tmp_path: Path
) -> None:
    free = network("nin-cifar")
    receipt = export(free, to, tmp_path / "net", Form(dynamic_size=True))
    path = next(file for file in receipt.files if file.suffix != ".bin")
    run = FORMATS[to].open(free, path)
    for shape in ((1, 3, 33, 47), (5, 3, 64, 32)):
        fed = np.random.default_rng(0).standard_normal(shape, np.float32)
        assert relative_error(run(fed), free.eager(fed)) < 1e-4


@pytest.mark.parametrize("to", ["torchscript", "exported-program"])
def test_adaptive_pools_stay_what_they_are_in_torchs_own_formats(to: str, tmp_path: Path) -> None:
    pool = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d((6, 5)), torch.nn.Flatten()).eval()
    free = Network(name="pool", module=pool, shape=(3, 14, 14))
    assert export(free, to, tmp_path / "net", Form(dynamic_size=True)).error < 1e-6


def test_every_tensor_of_a_weights_file_is_compared(tmp_path: Path) -> None:
    small = network("lenet-bn")
    path = tmp_path / "net.safetensors"
    kind = FORMATS["safetensors"]
    kind.save(kind.make(small, Form()), make_card(small, Form()), path)
    with safe_open(path, "np") as weights:
        assert set(weights.keys()) == set(small.module.state_dict())


def test_shared_weights_are_written_under_each_name(tmp_path: Path) -> None:
    one = torch.nn.Linear(4, 4)
    tied = torch.nn.Sequential(torch.nn.Flatten(), one, torch.nn.ReLU(), one).eval()
    shared = Network(name="tied", module=tied, shape=(1, 2, 2))
    assert export(shared, "safetensors", tmp_path / "net").error == 0


class OwnCode(torch.nn.Module):
    """Code whose lines would be told by its name."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        named_only_here = x.mean((2, 3))
        return torch.relu(named_only_here)


@pytest.mark.parametrize("to", FORMATS)
def test_no_file_tells_where_the_code_lies_or_how_it_reads(to: str, tmp_path: Path) -> None:
    own = Network(name="own", module=OwnCode().eval(), shape=(3, 8, 8))
    for file in export(own, to, tmp_path / "net").files:
        members = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                members += [archive.read(name) for name in archive.namelist()]
        for text in members:
            assert b"named_only_here" not in text
            assert str(Path(formats.__file__).parents[2]).encode() not in text
            assert str(Path(torch.__file__).parent).encode() not in text
            assert str(Path(__file__).parent).encode() not in text
