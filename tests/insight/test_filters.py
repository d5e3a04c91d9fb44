import torch
from torch import nn

from convatlas import models
from convatlas.insight.filters import first_filters


def test_first_convolution_in_module_order():
    model = nn.Sequential(nn.ReLU(), nn.Conv2d(3, 4, 5), nn.Conv2d(4, 2, 3))
    kernels = first_filters(model)
    assert torch.equal(kernels, model[1].weight)


def test_lenet5():
    assert first_filters(models.create("lenet5")).shape == (6, 1, 5, 5)


def test_a_copy_is_returned():
    model = nn.Sequential(nn.Conv2d(1, 1, 3))
    before = model[0].weight.detach().clone()
    first_filters(model).zero_()
    assert torch.equal(model[0].weight, before)


def test_none_without_convolution():
    assert first_filters(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))) is None
