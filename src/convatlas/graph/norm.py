"""Normalisation."""

from dataclasses import dataclass

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm:
    """Batch normalisation by maps; ``momentum`` is ``None`` for a cumulative average."""

    features: int
    eps: float
    momentum: float | None
    affine: bool = True
    training: bool = False  # by the statistics of the batch

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: scale and shift; statistics of the batch another two for each value."""
        if self.training and elements(inputs[0][:1] + inputs[0][2:]) == 1:
            raise ShapeError(
                f"batch normalisation in training needs more than one value for each map, "
                f"given {shown(inputs[0])}; use a batch of 2 or more, or a larger input"
            )
        count = _maps(self.features, inputs[0], 1)
        return Measure(inputs[0], 0, (4 if self.training else 2) * count)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNorm:
    """Normalisation over the last axes; not ``centred``: by the root mean square alone."""

    over: tuple[int, ...]
    eps: float
    affine: bool = True
    centred: bool = True

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: two for the statistics, two for scale and shift; half of it if not centred."""
        if inputs[0][-len(self.over) :] != self.over:
            raise ShapeError(f"normalises {shown(self.over)}, given {shown(inputs[0])}")
        return Measure(inputs[0], 0, (4 if self.centred else 2) * elements(inputs[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNorm:
    """Normalisation by groups of maps; as many groups as maps is instance normalisation."""

    features: int
    groups: int
    eps: float
    affine: bool = True

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: two for the statistics, two for scale and shift."""
        return Measure(inputs[0], 0, 4 * _maps(self.features, inputs[0], 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseNorm:
    """Local response normalisation across ``size`` neighbouring maps.

    ``alpha`` is torch's, which is divided by ``size`` (Caffe's way); the AlexNet paper's is not.
    """

    size: int
    alpha: float
    beta: float
    k: float

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: a square, ``size`` additions, a power and a quotient for each value."""
        return Measure(inputs[0], 0, (self.size + 3) * elements(inputs[0]))


def _maps(features: int, shape: Shape, axis: int) -> int:
    """The number of values, if the axis of maps has the right length."""
    if len(shape) <= axis or shape[axis] != features:
        raise ShapeError(f"normalises {features} maps, given {shown(shape)}")
    return elements(shape)
