"""Inputs on which an exported network or an engine is compared with torch eager."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from convatlas.errors import UserError
from convatlas.runtime.bundle import BundleCard, Compared, Preparation, prepare
from convatlas.runtime.network import Array, Network, agreement, random_pixels, relative_error
from convatlas.runtime.onnx_file import Form

Fed = Array | NDArray[np.uint8]


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


def cases(network: Network, form: Form, card: BundleCard) -> list[Case]:
    """Random pictures, in several batches and sizes where those are free; then real ones."""
    batches = (1, 3) if form.dynamic_batch else (1,)
    made = [_random(network, card, count, 0) for count in batches]
    if form.dynamic_size:
        made.append(_another_size(network, card))
    if network.real is not None and not form.fused:
        made += _real(network, form)
    return made


def _random(network: Network, card: BundleCard, count: int, larger: int) -> Case:
    channels, height, width = network.shape
    label = f"{count} random of {height + larger}x{width + 2 * larger}"
    if not card.fused:
        pixels = random_pixels((count, channels, height + larger, width + 2 * larger), count)
        return Case(label, pixels, network.eager(pixels))
    assert card.preparation
    frame = 2 * card.preparation.pad
    shape = (count, channels, height + larger - frame, width + 2 * larger - frame)
    pictures = np.random.default_rng(count).integers(0, 256, shape, np.uint8)
    plain = BundleCard(
        network=card.network, input=card.input, preparation=_uncropped(card), opset=card.opset
    )
    return Case(label, pictures, network.eager(np.asarray(prepare(plain, pictures), np.float32)))


def _uncropped(card: BundleCard) -> Preparation:
    assert card.preparation
    return msgspec.structs.replace(card.preparation, crop=None)


def _another_size(network: Network, card: BundleCard) -> Case:
    try:
        return _random(network, card, 2, 32)
    except RuntimeError as error:
        raise UserError(
            f"{network.name} takes pictures of {network.shape[1]}x{network.shape[2]} alone; "
            "leave --dynamic-size out"
        ) from error


def _real(network: Network, form: Form) -> list[Case]:
    assert network.real is not None
    if form.dynamic_batch:
        parts = [network.real]
    else:
        parts = [network.real[place : place + 1] for place in range(min(4, len(network.real)))]
    return [Case(f"{len(part)} real", part, network.eager(part)) for part in parts]
