"""How pictures are prepared for a network that no run trained: as published, or as the user says.

Where nothing is known or said, pixels go in from 0 to 1, the whole centre square of a picture.
"""

from math import isfinite
from typing import TYPE_CHECKING

from convatlas.errors import argued

if TYPE_CHECKING:
    from convatlas.runtime.bundle import Preparation
    from convatlas.runtime.network import Network

Values = tuple[float, ...]
# in Python, on the command line
MEAN, DEVIATION = ("mean", "--mean"), ("deviation", "--std")


def preparation_of(
    network: "Network", mean: Values | None, deviation: Values | None, side: int | None
) -> "tuple[Preparation, str] | None":
    """The preparation and where it comes from; ``None`` if pictures cannot be prepared.

    Raises `UserError` for figures that do not fit the network.
    """
    from convatlas.runtime.published import preparation, published

    channels, height, width = network.shape
    said = mean is not None or deviation is not None or side is not None
    if height != width or channels not in (1, 3):
        if said:
            raise argued(
                f"{network.name} takes {channels}x{height}x{width}; ",
                ("mean, deviation and side", "--mean, --std and --side"),
                " are for squares of 1 or 3 channels",
            )
        return None
    neutral = "pixels from 0 to 1"
    usual = published(network.name, network.source.get("layout", ""), height)
    if usual is None or channels != 3:
        usual = (
            preparation(height, height, (0.0,) * channels, (1.0,) * channels),
            neutral if said else f"{neutral}, as nothing else was said",
        )
    if not said:
        return usual
    how, words = usual
    asked = preparation(
        _side(side, height) if side is not None else how.side,
        height,
        _each(MEAN, mean, channels) if mean is not None else how.mean.values,
        _each(DEVIATION, deviation, channels) if deviation is not None else how.deviation.values,
    )
    given = [
        name
        for name, value in (("mean", mean), ("std", deviation), ("side", side))
        if value is not None
    ]
    *others, last = given
    listed = f"{', '.join(others)} and {last}" if others else last
    whole = mean is not None and deviation is not None and (side is not None or words == neutral)
    return asked, f"{listed} as given{'' if whole else f', else {words}'}"


def _side(side: int, size: int) -> int:
    if side < size:
        raise argued(("side", "--side"), f" {side} is less than the {size} that the network takes")
    return side


def _each(name: tuple[str, str], values: Values, channels: int) -> Values:
    """One value for each channel; a single one is for all."""
    if len(values) not in (1, channels):
        many = "one number" if channels == 1 else f"{channels} numbers or one"
        raise argued(name, f" takes {many}, given {len(values)}")
    if not all(isfinite(value) and (value > 0 or name == MEAN) for value in values):
        bound = "" if name == MEAN else " above 0"
        raise argued(name, f" takes numbers{bound}, given {','.join(f'{v:g}' for v in values)}")
    return values if len(values) == channels else values * channels
