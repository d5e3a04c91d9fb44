import dataclasses

import pytest
from torch import nn

from convatlas.errors import UserError
from convatlas.runtime.bundle import array
from convatlas.runtime.network import Network
from convatlas.workbench.own_preparation import Values, preparation_of


def named(name: str, shape: tuple[int, int, int], layout: str = "") -> Network:
    source = {"layout": layout} if layout else {}
    return Network(name=name, module=nn.Identity().eval(), shape=shape, source=source)


def test_a_profile_is_prepared_as_its_library_does_and_a_word_changes_that_alone() -> None:
    profile = named("resnet50@torchvision", (3, 224, 224))
    found = preparation_of(profile, None, None, None)
    assert found
    assert (found[0].side, found[0].crop, found[1]) == (
        256,
        224,
        "as torchvision evaluates its weights",
    )
    changed = preparation_of(profile, None, None, 232)
    assert changed
    assert changed[0] == type(found[0])(
        side=232, crop=224, mean=found[0].mean, deviation=found[0].deviation
    )
    assert changed[1] == "side as given, else as torchvision evaluates its weights"


def test_one_channel_of_a_profile_is_not_prepared_with_three_means() -> None:
    found = preparation_of(named("resnet50@torchvision", (1, 224, 224)), None, None, None)
    assert found
    assert array(found[0].mean).shape == (1, 1, 1)
    assert found[1].startswith("pixels from 0 to 1")


def test_a_single_number_is_for_every_channel() -> None:
    found = preparation_of(named("own", (3, 8, 8)), (0.5,), (0.1, 0.2, 0.3), None)
    assert found
    assert array(found[0].mean).ravel() == pytest.approx([0.5] * 3)
    assert array(found[0].deviation).ravel() == pytest.approx([0.1, 0.2, 0.3])
    assert (found[0].side, found[0].crop) == (8, None)


def test_what_is_no_square_of_one_or_three_channels_has_none() -> None:
    for shape in ((2, 8, 8), (3, 8, 9)):
        assert preparation_of(named("own", shape), None, None, None) is None
        with pytest.raises(UserError, match="squares of 1 or 3 channels"):
            preparation_of(named("own", shape), None, None, 9)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0])
def test_deviations_are_numbers_above_0(value: float) -> None:
    with pytest.raises(UserError, match=r"^deviation takes numbers above 0"):
        preparation_of(named("own", (1, 8, 8)), None, (value,), None)
    wrong = dataclasses.replace(named("own", (1, 8, 8)))
    with pytest.raises(UserError, match=r"^mean takes numbers, given nan"):
        preparation_of(wrong, (float("nan"),), None, None)


@pytest.mark.parametrize(
    ("mean", "deviation", "side", "said"),
    [
        ((0.5,), (0.5,), 8, "mean, std and side as given"),
        ((0.5,), (0.5,), None, "mean and std as given"),
        ((0.5,), None, 8, "mean and side as given, else pixels from 0 to 1"),
        (None, None, 9, "side as given, else pixels from 0 to 1"),
        (None, None, None, "pixels from 0 to 1, as nothing else was said"),
    ],
)
def test_only_what_was_not_said_is_told_beside_what_was(
    mean: Values | None, deviation: Values | None, side: int | None, said: str
) -> None:
    found = preparation_of(named("own", (1, 8, 8)), mean, deviation, side)
    assert found is not None
    assert found[1] == said
