import pytest
import torch
from torch import Tensor, nn

from convatlas.workbench.doctor import doctor


class Viewed(nn.Module):
    """A tutorial's classifier."""

    def __init__(self, row: int) -> None:
        super().__init__()
        self.conv, self.fc, self.row = nn.Conv2d(1, 12, 3), nn.Linear(row, 10), row

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.conv(x).view(-1, self.row))


def test_values_of_one_picture_taken_for_several() -> None:
    """Of 12·30·30 values 300 at a time: torch gives 36 rows of scores for one picture."""
    assert Viewed(300)(torch.zeros(1, 1, 32, 32)).shape == (36, 10)
    report = doctor(Viewed(300), "1x32x32")
    first = report.examination.findings[0]
    assert str(report).splitlines()[1] == "it mixes pictures, so that no size is right"
    assert (first.weight, first.what) == ("error", "batch")
    assert first.says.startswith("takes values of one picture for several: 1×12×30×30 is seen as")
    assert first.changes == ("flatten(1) in place of the view, and in_features=10800 in fc",)


@pytest.mark.parametrize("row", [12 * 30 * 30, 30])
def test_views_that_keep_axes_whole_are_left_alone(row: int) -> None:
    findings = doctor(Viewed(row), "1x32x32").examination.findings
    assert all(finding.what != "batch" for finding in findings)
