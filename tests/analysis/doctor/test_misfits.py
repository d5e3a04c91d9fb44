"""Layers that do not fit one another: who is named, and that each change does it, in torch."""

from collections.abc import Callable

import pytest
import torch
from ailing import rebuilt, runs
from torch import Tensor, nn

from convatlas.analysis.doctor.finding import Finding
from convatlas.graph.operation import Shape
from convatlas.workbench.doctor import doctor


class Two(nn.Module):
    """Two ways from the picture, and what is done with both."""

    def __init__(
        self, one: nn.Module, other: nn.Module, meet: Callable[[Tensor, Tensor], Tensor]
    ) -> None:
        super().__init__()
        self.one, self.other, self.meet = one, other, meet

    def forward(self, x: Tensor) -> Tensor:
        return self.meet(self.one(x), self.other(x))


def found(module: nn.Module, asked: Shape) -> Finding:
    with pytest.raises(RuntimeError):  # torch itself, with values: without it lets some pass
        module(torch.zeros(1, *asked))
    examination = doctor(module, "x".join(map(str, asked))).examination
    (finding,) = examination.findings
    assert (finding.weight, examination.fits) == ("error", False)
    return finding


def seq(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("module", "says", "changes"),
    [
        (
            seq(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(32, 8, 3)),
            "takes 32 channels, but 16 come from 0",
            ("in_channels=16 in 2", "out_channels=32 in 0"),
        ),
        (
            seq(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.MaxPool2d(2), nn.Conv2d(32, 8, 3)),
            "takes 32 channels, but 16 come from 0",
            ("in_channels=16 in 3", "out_channels=32 in 0 (and num_features=32 in 1)"),
        ),
        (
            seq(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(32)),
            "takes 32 channels, but 16 come from 0",
            ("num_features=16 in 1", "out_channels=32 in 0"),
        ),
        (
            seq(nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 32), nn.ReLU()),
            "takes 32 channels, but 16 come from 0",
            ("num_channels=16 in 1", "out_channels=32 in 0"),
        ),
        (
            seq(nn.Conv2d(3, 16, 3), nn.ConvTranspose2d(8, 3, 2, 2)),
            "takes 8 channels, but 16 come from 0",
            ("in_channels=16 in 1", "out_channels=8 in 0"),
        ),
        (
            seq(nn.Conv2d(3, 16, 3), nn.Conv2d(32, 32, 3, groups=32)),
            "takes 32 channels, but 16 come from 0",
            ("in_channels=16 and groups=16 in 1", "out_channels=32 in 0"),
        ),
        (  # 18 is in no 4 groups
            seq(nn.Conv2d(3, 18, 3), nn.Conv2d(16, 32, 3, groups=4)),
            "takes 16 channels, but 18 come from 0",
            ("out_channels=16 in 0",),
        ),
        (
            seq(nn.Conv2d(3, 16, 3), nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1)),
            "takes 8 channels, but 16 come from 0",
            ("in_channels=16 in 2", "out_channels=8 in 0"),
        ),
    ],
)
def test_channels(module: nn.Module, says: str, changes: tuple[str, ...]) -> None:
    finding = found(module, (3, 32, 32))
    assert (finding.what, finding.says, finding.changes) == ("channels", says, changes)
    assert all(runs(rebuilt(module, change), (1, 3, 32, 32)) for change in changes)


def test_dense_layers_and_norms_of_tokens() -> None:
    dense = seq(nn.Linear(12, 20), nn.ReLU(), nn.Linear(30, 10))
    finding = found(dense, (7, 12))
    assert finding.says == "takes 30 values, but 20 come from 0"
    assert finding.changes == ("in_features=20 in 2", "out_features=30 in 0")
    assert all(runs(rebuilt(dense, change), (1, 7, 12)) for change in finding.changes)
    norm = seq(nn.Linear(12, 20), nn.LayerNorm(30))
    finding = found(norm, (7, 12))
    assert finding.changes == ("normalized_shape=20 in 1", "out_features=30 in 0")
    assert all(runs(rebuilt(norm, change), (1, 7, 12)) for change in finding.changes)


@pytest.mark.parametrize("meet", [torch.add, lambda a, b: torch.cat((a, b), 1)])
def test_branches_of_different_sizes(meet: Callable[[Tensor, Tensor], Tensor]) -> None:
    module = Two(nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 5), meet)
    finding = found(module, (3, 32, 32))
    assert finding.what == "shape"
    assert "1×4×30×30 from one and 1×4×28×28 from other" in finding.says
    assert finding.changes == ("padding=1 in other",)
    assert runs(rebuilt(module, finding.changes[0]), (1, 3, 32, 32))


def test_a_sum_of_different_channels() -> None:
    module = Two(nn.Conv2d(3, 16, 3), seq(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)), torch.add)
    finding = found(module, (3, 32, 32))
    assert finding.says == "1×16×30×30 from one and 1×8×30×30 from other.1 do not go together"
    assert finding.changes == (
        "out_channels=8 in one",
        "out_channels=16 in other.0 (and num_features=16 in other.1)",
    )
    assert all(runs(rebuilt(module, change), (1, 3, 32, 32)) for change in finding.changes)


def test_a_gate_of_other_channels() -> None:
    gate = seq(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4), nn.Unflatten(1, (4, 1, 1)))
    module = Two(nn.Conv2d(3, 8, 3), gate, torch.mul)
    assert found(module, (3, 9, 9)).changes == ("out_channels=4 in one",)

    def by_index(maps: Tensor, gates: Tensor) -> Tensor:
        return maps * gates[:, :, None, None]

    module = Two(nn.Conv2d(3, 8, 3), gate[:3], by_index)
    finding = found(module, (3, 9, 9))
    assert finding.changes == ("out_channels=4 in one", "out_features=8 in other.2")
    assert all(runs(rebuilt(module, change), (1, 3, 9, 9)) for change in finding.changes)


class Positions(nn.Module):
    """A token for each patch, and a table for 8×8 of them, to be added."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.table = nn.Conv2d(1, 8, 4, 4), nn.Parameter(torch.zeros(1, 64, 8))

    def forward(self, x: Tensor) -> Tensor:
        return self.patches(x).flatten(2).transpose(1, 2) + self.table


def test_a_table_of_positions() -> None:
    """Of 4 to 7 pixels there is one token, which torch stretches: no way out."""
    finding = found(Positions(), (1, 28, 28))
    assert finding.changes == ("an input of 1×32×32", "padding=2 in patches")
    assert runs(Positions(), (1, 1, 32, 32))
    assert runs(rebuilt(Positions(), finding.changes[1]), (1, 1, 28, 28))


def test_a_shortcut_that_needs_a_projection() -> None:
    block = seq(nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 3, 1, 1))
    module = Two(nn.Identity(), block, torch.add)
    finding = found(module, (16, 32, 32))
    (change,) = finding.changes
    assert change == "a 1×1 convolution, 16 → 32, stride 2, on the way of 1×16×32×32"
    assert runs(Two(nn.Conv2d(16, 32, 1, 2), block, torch.add), (1, 16, 32, 32))


def test_channels_put_side_by_side() -> None:
    joined = Two(nn.Conv2d(3, 4, 1), nn.Conv2d(3, 6, 1), lambda a, b: torch.cat((a, b), 1))
    finding = found(seq(joined, nn.Conv2d(12, 1, 1)), (3, 8, 8))
    assert finding.says == "takes 12 channels, but 10 come from 0.one (4) and 0.other (6)"
    assert finding.changes == ("in_channels=10 in 1",)


def test_maps_without_flattening() -> None:
    module = seq(nn.Conv2d(3, 12, 3), nn.Linear(12 * 30 * 30, 3))
    finding = found(module, (3, 32, 32))
    assert finding.says == "takes 10,800 values = 12·30·30, but gets maps of 12×30×30"
    assert finding.changes == ("a flatten(1) before 1",)
    assert runs(seq(module[0], nn.Flatten(), module[1]), (1, 3, 32, 32))


def test_a_kernel_of_other_axes() -> None:
    finding = found(seq(nn.Conv2d(3, 12, 3), nn.Conv1d(12, 3, 3)), (3, 8, 8))
    assert (finding.what, finding.changes) == ("shape", ("nn.Conv2d there",))


def test_where_the_code_stops_is_said() -> None:
    module = Two(nn.Conv2d(3, 4, 3), nn.Conv2d(3, 8, 3), torch.add)
    line = Two.forward.__code__.co_firstlineno + 1
    assert str(doctor(module, "3x8x8")).splitlines()[1] == (
        f"its code stops at add (test_misfits.py, line {line}), what follows is not seen"
    )
