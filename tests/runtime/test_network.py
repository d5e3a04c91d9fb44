import numpy as np
import pytest
import torch
from runnable import network

from convatlas.errors import UserError
from convatlas.runtime.network import random_pixels


def test_random_pixels_repeat() -> None:
    assert (random_pixels((2, 3)) == random_pixels((2, 3))).all()
    assert (random_pixels((2, 3), 1) != random_pixels((2, 3))).any()


def test_scores_to_compare_with_are_numbers() -> None:
    spoilt = network("lenet-relu")
    pixels = random_pixels((1, *spoilt.shape))
    np.testing.assert_array_equal(spoilt.expected(pixels), spoilt.eager(pixels))
    with torch.no_grad():
        next(spoilt.module.parameters()).fill_(float("nan"))
    assert np.isnan(spoilt.eager(pixels)).all()
    with pytest.raises(UserError, match="lenet-relu gives scores that are no finite numbers"):
        spoilt.expected(pixels)
