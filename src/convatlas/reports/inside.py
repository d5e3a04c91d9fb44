"""The first layer's kernels and one picture's feature maps, as sheets of tiles."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from convatlas.data.augment import Augment
from convatlas.data.preprocess import Preprocess
from convatlas.insight.filters import first_filters
from convatlas.insight.maps import FeatureMaps, feature_maps
from convatlas.reports.numbers import figure
from convatlas.reports.pictures import Picture, coloured, picture, sheet, signed, thumbnail

MOST_MAPS = 64  # of one layer
SAMPLE_SIDE = 112


@dataclass(frozen=True, slots=True)
class Filters:
    """The kernels; ``limit`` is the largest weight in size, where the colours end."""

    picture: Picture
    limit: str
    in_colour: bool
    count: int
    size: str


@dataclass(frozen=True, slots=True)
class MapRow:
    """The maps of one group of layers."""

    path: str
    kinds: str
    shape: str
    limit: str
    shown: int
    count: int
    picture: Picture


@dataclass(frozen=True, slots=True)
class Maps:
    """One picture and what the network makes of it, layer by layer."""

    sample: Picture
    rows: tuple[MapRow, ...]


def filters(model: nn.Module) -> Filters | None:
    """Kernels on one channel are drawn by sign, on three as colours; each other channel apart."""
    kernels = first_filters(model)
    if kernels is None:
        return None
    count, channels, height, width = kernels.shape
    limit = float(kernels.abs().max())
    in_colour = channels == 3
    tiles = coloured(kernels, limit) if in_colour else signed(kernels.flatten(0, 1), limit)
    pixels = _sheet(tiles)
    alt = f"The {count} kernels of the first convolution, {height} by {width} each"
    return Filters(picture(pixels, alt), figure(limit), in_colour, count, f"{height} × {width}")


def maps(model: nn.Module, preprocess: Preprocess, sample: Tensor, crop: int | None) -> Maps:
    """Feature maps of a stored picture, uint8 (C, H, W), made ready as in evaluation."""
    seen = Augment(crop=crop).centre(sample[None])
    rows = tuple(_row(found) for found in feature_maps(model, preprocess(seen)[0]))
    pixels = thumbnail(seen[0], SAMPLE_SIDE)
    zoom = math.ceil(SAMPLE_SIDE / max(pixels.shape[-2:]))
    return Maps(picture(pixels, "The picture the maps are of", zoom=zoom), rows)


def _row(found: FeatureMaps) -> MapRow:
    count = len(found.values)
    values = found.values[:MOST_MAPS]
    limit = float(values.abs().max())
    pixels = _sheet(signed(values, limit))
    return MapRow(
        path=found.path,
        kinds=" → ".join(found.kinds),
        shape=" × ".join(map(str, found.values.shape)),
        limit=figure(limit),
        shown=len(values),
        count=count,
        picture=picture(pixels, f"{len(values)} feature maps after {found.path}"),
    )


def _sheet(tiles: Tensor) -> Tensor:
    """Few tiles large, many small; either way no wider than the page."""
    few = len(tiles) <= 32
    return sheet(tiles, columns=8 if few else 16, side=84 if few else 48)
