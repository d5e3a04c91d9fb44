import csv
import io

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from convatlas.errors import UserError
from convatlas.workbench.sweep import sweep


def test_a_table_of_sides_and_batches() -> None:
    found = sweep("lenet5", range(31, 37), (1, 2))
    rows = list(csv.DictReader(io.StringIO(found.text("csv"))))
    assert [(row["side"], row["batch"]) for row in rows][:3] == [
        *(("31", "1"), ("31", "2"), ("32", "1"))
    ]
    # c5 of LeNet-5 leaves one place from 32 to 35
    assert [row["side"] for row in rows if row["MACs"]] == [
        side for side in ("32", "33", "34", "35") for _ in range(2)
    ]
    by_batch = {row["batch"]: row for row in rows if row["side"] == "32"}
    assert int(by_batch["2"]["MACs"]) == 2 * int(by_batch["1"]["MACs"]) == 2 * 328_096
    assert int(by_batch["2"]["bytes to train"]) > int(by_batch["1"]["bytes to train"])
    assert rows[0]["not taken because"].startswith("lenet5 cannot take 1×1×31×31: c5 (Conv)")
    assert str(found).endswith("lenet5 takes squares of 32 to 35")
    assert "<p>lenet5 takes squares of 32 to 35</p>" in found._repr_html_()


def test_auxiliary_heads_count_in_training() -> None:
    bare, heads = sweep("googlenet", (224,)), sweep("googlenet", (224,), training=True)
    assert bare.points[0].macs < heads.points[0].macs
    assert bare.points[0].training == heads.points[0].training


def test_own_modules() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    found = sweep(module, (3, 8), sizes="1x8x8")
    # 18 multiply-adds a place: 1 and 36 places
    assert [point.macs for point in found.points] == [18, 18 * 36]
    with pytest.raises(UserError, match="Sequential does not say what it takes"):
        sweep(module, (3, 8))


class Halving(nn.Module):
    """As many convolutions as the side can be halved: a loop over a size, which no graph hears."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(x.shape[2].bit_length()):
            x = self.conv(x)
        return x


def test_a_module_whose_code_depends_on_the_size_is_right_at_every_size() -> None:
    found = sweep(Halving(), (24, 36, 64), sizes="3x24x24")
    for point in found.points:
        with FlopCounterMode(display=False) as counter:
            Halving()(torch.zeros(1, 3, point.side, point.side))
        assert point.macs == counter.get_total_flops() // 2, point.side
