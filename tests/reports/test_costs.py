from types import SimpleNamespace

import pytest
import torch
from torch import nn

from convatlas import models
from convatlas.reports.costs import costs


def number(text):
    return int(text.replace(",", ""))


@pytest.mark.parametrize("name", ["lenet5", "lenet-caffe", "lenet-bn", "alexnet", "swin_t"])
def test_totals_add_up(name):
    model = models.blueprint(name).layout()
    table = costs(model, models.blueprint(name).spec)
    assert sum(number(row.parameters) for row in table.rows) == number(table.parameters)
    assert sum(number(row.macs) for row in table.rows) == number(table.macs)
    assert number(table.parameters) == sum(p.numel() for p in model.parameters())


def test_unknown_cost_makes_the_total_a_lower_bound():
    class Odd(nn.Module):
        def forward(self, x):
            return torch.linalg.inv(x)

    model = nn.Sequential(nn.Conv2d(1, 1, 3), Odd())
    table = costs(model, SimpleNamespace(in_channels=1, image_size=5))
    assert table.rows[0].macs == "81"
    assert "unknown" in [row.macs for row in table.rows]
    assert table.macs == "at least 81"
