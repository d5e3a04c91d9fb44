import json

import pytest
import torch
from ailing import tutorial_alexnet
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.workbench.doctor import doctor


def test_a_healthy_network() -> None:
    report = doctor("resnet50@torchvision")
    assert report.examination.healthy
    assert str(report).startswith(
        "resnet50@torchvision at 1×3×224×224\nresnet50@torchvision takes squares of 1 and more\n"
    )
    assert str(doctor("lenet5")).endswith("\nnothing to mend")


def test_a_module_at_an_input_it_does_not_take() -> None:
    """It is captured at one that it takes; the report is on the one asked about."""
    report = doctor(tutorial_alexnet(), "1x28x28")
    lines = str(report).splitlines()
    assert lines[:2] == [
        "Sequential at 1×1×28×28",
        "Sequential takes squares of 193 to 224",
    ]
    assert lines[3].startswith("error  5: max pool 3×3, stride 2 is given 2×2")
    assert lines[4] == "  mend by  an input of 1×193×193 to 1×224×224"
    document = json.loads(report.text("json"))
    assert document["legal"]["mapped"] == 65
    assert document["findings"][0]["what"] == "collapse"
    assert report.text("csv").startswith("weight,what,place,finding,what mends it\n")


def test_other_axes_too() -> None:
    line = doctor(nn.Sequential(nn.Conv1d(2, 4, 5), nn.MaxPool1d(2)), "2x4")
    assert line.examination.findings[0].what == "collapse"
    cube = doctor(nn.Sequential(nn.Conv3d(1, 4, 5)), "1x4x4x4")
    assert "an input of 1×5×5×5 or more" in cube.examination.findings[0].changes


def test_training_with_a_batch_of_one() -> None:
    """28x28 leaves 1x1 before the last norms of lenet-bn."""
    assert doctor("lenet-bn").examination.fits
    (error,) = doctor("lenet-bn", training=True).examination.findings
    assert (error.what, error.place) == ("batch of one", "head.2")
    assert doctor("lenet-bn", training=True, batch=2).examination.fits
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    (error,) = doctor(module, "1x3x3", training=True).examination.findings
    assert error.what == "batch of one"


class TwoFaults(nn.Module):
    """A U-Net in small: odd sides do not meet their copy, and the last layer never fits."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
        self.last = nn.Conv2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.last(torch.cat((x, self.up(self.down(x))), 1))
        return made


def test_a_module_that_fits_nowhere_is_told_as_far_as_it_comes() -> None:
    (finding,) = doctor(TwoFaults(), "3x9x9").examination.findings
    assert (finding.what, finding.changes) == (
        "shape",
        ("an input of 3×8×8 or 3×10×10: lets this layer pass",),
    )
    report = doctor(TwoFaults(), "3x8x8")
    (finding,) = report.examination.findings
    assert finding.says == "takes 3 channels, but 6 come from the input (3) and the input (3)"
    assert finding.changes == ("in_channels=6 in last",)
    assert "its code stops at last, what follows is not seen" in str(report)
    assert json.loads(report.text("json"))["legal"] is None


def test_another_length_of_features_is_told_as_it_is() -> None:
    """At 10 features it runs, but that says nothing about 12."""
    with pytest.raises(UserError, match="Expected 10, got 12"):
        doctor(nn.LSTM(10, 20, batch_first=True), "5x12")


def test_what_is_no_illness_stays_an_error() -> None:
    with pytest.raises(UserError, match="unknown network"):
        doctor("lenet6")
    with pytest.raises(UserError, match="does not say what it takes"):
        doctor(nn.Conv2d(3, 4, 3))


def test_a_notebook() -> None:
    html = doctor("alexnet-28")._repr_html_()
    assert html.startswith("<p>alexnet-28 at 1×1×28×28: alexnet-28 takes squares of 23 to 30</p>")
    assert html.count("<tr>") == 1 + 3
