"""The table of a network: totals, forms, notes, and what is said where it fails."""

import csv
import io
import json

import pytest
import torch
from ailing import tutorial_alexnet
from torch import Tensor, nn

from convatlas import atlas
from convatlas.errors import UserError
from convatlas.workbench.broken import BrokenOff
from convatlas.workbench.show import show, show_broken


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "googlenet", "densenet121", "swin_t"])
def test_forms_say_the_same(name: str) -> None:
    found = show(name, fold=False)
    document = json.loads(found.text("json"))
    sheet = list(csv.DictReader(io.StringIO(found.text("csv"))))
    assert [row["parameters"] for row in sheet[:-1]] == [
        str(layer["parameters"]) for layer in document["layers"]
    ]
    assert sheet[-1]["layer"] == "total"
    assert int(sheet[-1]["MACs"]) == document["macs"] == atlas.entry(name).macs
    assert sum(int(row["MACs"]) for row in sheet[:-1]) == document["macs"]
    assert f"{document['macs']:,}" in found.text("md").splitlines()[-1]
    assert f"{document['macs']:,}" in found.text("latex")
    assert f"{document['macs']:,}" in found.text("html")
    assert str(found) == found.text()


def test_options() -> None:
    assert show("resnet50", depth=1).table.rows[1][0] == "stem"
    assert "times" in show("resnet50").table.columns
    assert "times" not in show("resnet50", fold=False).table.columns
    assert show("lenet5", formulas=True).table.columns[-1] == "how"
    assert show("resnet50", by_stage=True).table.columns[0] == "map"
    assert show("lenet5", batch=4).heading == "lenet5, input 1×32×32, batch 4"
    assert show("googlenet", training=True).heading.endswith("batch 1, in training")


def test_notes() -> None:
    notes = show("googlenet").notes
    assert notes[0].startswith("parameters that nothing reads: auxiliary_4a.1.0.weight")
    frozen = nn.Conv2d(1, 2, 3)
    frozen.bias.requires_grad = False
    assert "2 parameters are frozen" in show(frozen, "1x8x8").notes


class Unknown(nn.Module):
    """An operation that nobody knows the cost of."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.svdvals(x)


def test_what_is_unknown_is_said() -> None:
    found = show(Unknown(), "3x8x8")
    assert any(note.startswith("cost UNKNOWN, not in the totals: ") for note in found.notes)
    assert "unknown" in found.text()


def test_training_that_fails_is_said() -> None:
    found = show("lenet-bn")
    assert found.memory[2].startswith("training     fails at this input: lenet-bn cannot take")
    assert json.loads(found.text("json"))["training_bytes"] is None
    assert json.loads(show("lenet-bn", batch=2).text("json"))["training_bytes"] > 0


def test_a_notebook_sees_a_table_and_no_markup_of_names() -> None:
    class Evil(nn.Sequential):
        pass

    Evil.__name__ = "<script>alert(1)</script>"
    html = show(Evil(nn.Conv2d(1, 2, 3)), "1x8x8")._repr_html_()
    assert "<script>" not in html
    assert html.startswith("<p>&lt;script&gt;alert(1)&lt;/script&gt;, input 1×8×8")
    assert "<table>" in html
    assert "MAC = one multiply-add" in html


def test_where_a_network_of_the_atlas_ends() -> None:
    """At 20: c1 16, s2 8, c3 4, s4 2, and c5 wants 5."""
    with pytest.raises(BrokenOff) as caught:
        show("lenet5", "20")
    error = caught.value
    assert str(error) == (
        "lenet5 cannot take 1×1×20×20: c5 (Conv) a window of 5 does not fit into 2; it needs at "
        "least 5; try an input of 1×32×32 to 1×35×35, or one of 2 other changes: "
        "see `convatlas doctor`"
    )
    document = json.loads(show_broken(error, "json"))
    assert document["error"] == str(error)
    assert document["layers"][-1]["layer"] == "s4_squash"
    assert document["layers"][-1]["output"] == [1, 16, 2, 2]
    lines = show_broken(error).splitlines()
    assert lines[0] == "lenet5, input 1×20×20, batch 1"
    assert lines[-1].split()[:4] == ["s4_squash", "scaled", "tanh", "16×2×2"]
    assert "total" not in show_broken(error, "csv")


def test_where_a_module_ends() -> None:
    with pytest.raises(BrokenOff) as caught:
        show(tutorial_alexnet(), "1x28x28")
    assert [row["layer"] for row in json.loads(show_broken(caught.value, "json"))["layers"]] == [
        *("", "0", "1", "2", "3", "4")
    ]
    assert "try an input of 1×193×193 to 1×224×224, or one of 4 other changes" in str(caught.value)


class Bug(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).nothing


def test_a_module_that_is_wrong_at_any_size() -> None:
    with pytest.raises(BrokenOff) as caught:
        show(Bug(), "3x8x8")
    assert caught.value.way_out == ""
    assert "raises AttributeError" in str(caught.value)
    assert [line.node.path for line in caught.value.made.lines] == ["", "conv"]


def test_what_fails_before_anything_ran_is_told_as_it_is() -> None:
    with pytest.raises(UserError, match="unknown network") as caught:
        show("lenet6")
    assert not isinstance(caught.value, BrokenOff)
    with pytest.raises(UserError, match="is no input size"):
        show("lenet5", "0x0")
