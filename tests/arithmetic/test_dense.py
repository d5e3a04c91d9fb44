import pytest
from torch import nn

from convatlas.arithmetic.dense import Dense
from convatlas.errors import UserError


def test_300_to_3000() -> None:
    cost = Dense(inputs=300, outputs=3000).cost()
    assert (cost.parameters, cost.macs, cost.output) == (903_000, 900_000, (3000, 1, 1))
    assert Dense(inputs=300, outputs=3000, bias=False).cost().parameters == 900_000


def test_parameters_as_torch() -> None:
    theirs = nn.Linear(7, 5, device="meta")
    assert Dense(inputs=7, outputs=5).cost().parameters == sum(
        p.numel() for p in theirs.parameters()
    )


def test_no_outputs_are_refused() -> None:
    with pytest.raises(UserError, match="outputs is 0"):
        Dense(inputs=1, outputs=0)
