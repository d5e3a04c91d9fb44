import math

import pytest
import torch

from convatlas.training.schedule import (
    Constant,
    Cosine,
    Moment,
    OneCycle,
    Plateau,
    Schedule,
    Step,
    Triangular,
    factor,
    plateaus,
)

STEPS = 100


def factors(schedule: Schedule) -> list[float]:
    return [factor(schedule, Moment(step, STEPS, 10)) for step in range(STEPS)]


def test_constant() -> None:
    assert set(factors(Constant())) == {1.0}


def test_step_multiplies_from_each_epoch_on() -> None:
    values = factors(Step(at=(2, 5), factors=(0.4, 0.5)))
    assert values[19] == 1.0
    assert values[20] == values[49] == 0.4
    assert values[50] == values[99] == 0.2


def test_triangular_rises_and_falls_linearly_and_ends_near_zero() -> None:
    values = factors(Triangular(rise=0.25))
    assert values.index(max(values)) in (24, 25)
    assert values[0] == pytest.approx(0.005 / 0.25)
    assert values[-1] == pytest.approx(0.005 / 0.75)
    assert values[10] - values[9] == pytest.approx(values[20] - values[19])


def test_cosine_without_warm_up_is_torchs_cosine_annealing_taken_mid_step() -> None:
    # closed form: (1 + cos(pi t)) / 2 at the middle of each step
    for step, value in enumerate(factors(Cosine())):
        assert value == pytest.approx((1 + math.cos(math.pi * (step + 0.5) / STEPS)) / 2)


def test_one_cycle_has_the_shape_of_torchs() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1.0, total_steps=10_001, pct_start=0.3, cycle_momentum=False
    )
    for step in range(10_000):
        if step % 500 == 250:
            ours = factor(OneCycle(), Moment(step, 10_000, 100))
            assert ours == pytest.approx(theirs.get_last_lr()[0], abs=2e-3)
        optimiser.step()
        theirs.step()


@pytest.mark.parametrize(
    ("errors", "count"),
    [
        ((), 0),
        ((0.5, 0.4, 0.3), 0),
        ((0.3, 0.3, 0.3), 1),  # two epochs in a row without a lower error
        ((0.3, 0.4, 0.2, 0.3, 0.2), 1),
        ((0.3, 0.4, 0.4, 0.4, 0.4), 2),
    ],
)
def test_plateaus_are_counted_by_hand(errors: tuple[float, ...], count: int) -> None:
    assert plateaus(errors, patience=2) == count
    moment = Moment(0, 1, 1, errors)
    assert factor(Plateau(factor=0.1, patience=2), moment) == pytest.approx(0.1**count)
