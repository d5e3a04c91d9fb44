"""Inputs on which an exported network or an engine is compared with torch eager."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convatlas.errors import UserError, argued, one_line
from convatlas.runtime.bundle import Compared, crop, normalise
from convatlas.runtime.closeness import agreement, relative_error
from convatlas.runtime.network import Array, Network, random_pixels
from convatlas.runtime.onnx_file import Form
from convatlas.runtime.sessions import Fed

Size = tuple[int, int]  # height, width
# Rows and columns more: odd ones, which no stride or pooled grid divides; then, for a network that
# takes only some sizes, as many as U-Net's steps of 16 need. Never square, to tell the two apart.
LARGER: tuple[Size, ...] = ((37, 53), (32, 64))
SINGLE = 4  # real pictures fed one by one to a network of batch one


@dataclass(frozen=True, slots=True)
class Case:
    """What is fed, and what must come out."""

    label: str
    fed: Fed
    expected: Array

    def compare(self, found: Array) -> Compared:
        """How near an answer is."""
        if found.shape != self.expected.shape:
            return Compared(inputs=self.label, error=float("inf"), agreement=0.0)
        return Compared(
            inputs=self.label,
            error=relative_error(found, self.expected),
            agreement=agreement(found, self.expected),
        )


def cases(network: Network, form: Form) -> list[Case]:
    """Random input, in several batches and sizes where those are free; then real pictures.

    ``UserError`` if another size is asked for that the network does not take.
    """
    batches = (1, 3) if form.dynamic_batch else (1,)
    made = [_random(network, form, count, network.shape[1:]) for count in batches]
    if form.dynamic_size:
        _check_figures(network, form)
        made.append(_random(network, form, batches[-1], other_size(network)))
    if network.pictures is not None:
        made += _real(network, form)
    return made


def _check_figures(network: Network, form: Form) -> None:
    """Refuse a mean picture inside a network of any size."""
    how = network.preparation
    if form.fused and how and how.mean.shape[1:] != (1, 1):
        height, width = how.mean.shape[1:]
        raise argued(
            f"the mean picture that {network.name} subtracts is {height}x{width} and fits no other "
            "size; leave ",
            ("dynamic_size or fused", "--dynamic-size or --fuse"),
            " out",
        )


def other_size(network: Network) -> Size:
    """A size that the network takes beside its own; `UserError` if none of those tried is one."""
    height, width = network.shape[1:]
    tried = [(height + more, width + wider) for more, wider in LARGER]
    for size in tried:
        try:
            network.eager(random_pixels((1, network.shape[0], *size)))
        except (RuntimeError, UserError):  # what torch raises, and what our own modules do
            continue
        return size
    sizes = " nor ".join(f"{height}x{width}" for height, width in tried)
    raise argued(
        f"{network.name} takes pictures of {height}x{width}, and neither {sizes}; leave ",
        ("dynamic_size", "--dynamic-size"),
        " out",
    )


def _random(network: Network, form: Form, count: int, size: Size) -> Case:
    """Standard normal input, or for a fused network random pixels."""
    height, width = size
    label = f"{count} random of {height}x{width}"
    channels = network.shape[0]
    if not form.fused:
        pixels = random_pixels((count, channels, height, width), count)
        return Case(label, pixels, _expected(network, pixels))
    assert network.preparation
    frame = 2 * network.preparation.pad
    shape = (count, channels, height - frame, width - frame)
    pictures = np.random.default_rng(count).integers(0, 256, shape, np.uint8)
    return Case(label, pictures, _expected(network, normalise(network.preparation, pictures)))


def _expected(network: Network, pixels: Array) -> Array:
    """The scores of eager, one for each picture; `UserError` for a network of one at a time."""
    try:
        scores = network.expected(pixels)
    except RuntimeError as error:
        said = f"fails on a batch of {len(pixels)}: {one_line(error)}"
    else:
        if len(scores) == len(pixels):
            return scores
        said = f"gives {len(scores)} rows of scores for a batch of {len(pixels)}"
    fixed = ("dynamic_batch=False", "--fixed-batch")
    raise argued(f"{network.name} {said}; export it with ", fixed)


def _real(network: Network, form: Form) -> list[Case]:
    """All pictures at once where the batch is free, else a few one by one."""
    pictures = network.pictures
    assert pictures is not None
    if form.dynamic_batch:
        return [_shown(network, form, pictures)]
    return [_shown(network, form, pictures[n : n + 1]) for n in range(min(SINGLE, len(pictures)))]


def _shown(network: Network, form: Form, pictures: NDArray[np.uint8]) -> Case:
    how = network.preparation
    assert how
    cropped = np.ascontiguousarray(crop(how, pictures))
    prepared = normalise(how, cropped)
    label = f"{len(pictures)} real"
    return Case(label, cropped if form.fused else prepared, network.expected(prepared))
