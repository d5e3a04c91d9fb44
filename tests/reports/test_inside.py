import torch
from torch import nn

from convatlas import models
from convatlas.data.preprocess import fit
from convatlas.reports.inside import MOST_MAPS, filters, maps


def test_kernels_on_one_channel():
    found = filters(models.create("lenet-bn"))
    assert (found.count, found.size, found.in_colour) == (8, "5 × 5", False)
    assert found.picture.alt == "The 8 kernels of the first convolution, 5 by 5 each"


def test_kernels_on_three_channels_are_in_colour():
    assert filters(nn.Sequential(nn.Conv2d(3, 8, 3))).in_colour


def test_other_numbers_of_channels_are_drawn_apart():
    two = filters(nn.Sequential(nn.Conv2d(2, 3, 3)))
    one = filters(nn.Sequential(nn.Conv2d(1, 6, 3)))
    assert two.picture.width == one.picture.width


def test_no_convolution():
    assert filters(nn.Sequential(nn.Linear(2, 2))) is None


def test_maps_of_a_cropped_picture():
    sample = torch.randint(256, (1, 32, 32), dtype=torch.uint8)
    model = models.create("lenet-bn").eval()
    found = maps(model, fit("channel-standard", sample[None]), sample, 28)
    assert [row.path for row in found.rows] == ["stage1.0", "stage1", "stage2.0", "stage2"]
    assert found.rows[1].kinds == "MaxPool2d → BatchNorm2d → ReLU"
    assert found.rows[1].shape == "8 × 12 × 12"
    assert found.sample.width == 4 * 28


def test_many_maps_are_cut_short():
    model = nn.Sequential(nn.Conv2d(1, MOST_MAPS + 8, 3))
    sample = torch.randint(256, (1, 8, 8), dtype=torch.uint8)
    row = maps(model, fit("unit", sample[None]), sample, None).rows[0]
    assert (row.shown, row.count) == (MOST_MAPS, MOST_MAPS + 8)
