from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import convatlas
from convatlas.errors import UserError


def test_a_module_of_ones_own_on_the_fastest_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 100, 4))
    choice = convatlas.fastest(module, batch=2, input=(3, 12, 12), budget=0)
    pixels = np.random.default_rng(0).standard_normal((2, 3, 12, 12), np.float32)
    with torch.inference_mode():
        expected = module(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(choice.engine(pixels), expected, atol=1e-4)
    assert choice.name == "eager"  # a budget of 0 leaves no other
    assert choice.name in {each.name for each in choice.measured if each.tried}
    assert convatlas.fastest(module, batch=2, input="3x12x12", budget=0).measured == ()


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match="batch is a number from 1, given 0"):
        convatlas.fastest("lenet-bn", batch=0)
    with pytest.raises(UserError, match="9999 threads would wait for one another"):
        convatlas.fastest("lenet-bn", threads=9999)
    with pytest.raises(UserError, match="there is no module 'nomod'"):
        convatlas.fastest("nomod:net")
    with pytest.raises(UserError, match=r"give input, like input=\(3, 224, 224\)"):
        convatlas.fastest(nn.Flatten())
