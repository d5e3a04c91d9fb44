"""Where a network's cost lies: by the size of the map that is worked on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from convatlas.analysis.cost import Line
from convatlas.graph.operation import Shape
from convatlas.graph.source import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All work on maps of one size that follows one another; shares are of the whole network."""

    size: Shape  # height and width; () where there is no map any more
    channels: int  # of the last map
    operations: int
    parameters: int
    macs: int
    bytes: int
    share_macs: float
    share_bytes: float
    share_parameters: float


def stages(lines: Sequence[Line]) -> tuple[Stage, ...]:
    """One stage for each run of lines with the same height and width."""
    work = [line for line in lines if not isinstance(line.node.operation, Input)]
    macs = sum(line.macs or 0 for line in work) or 1
    parameters = sum(line.parameters for line in work) or 1
    made = sum(line.bytes for line in work) or 1
    return tuple(_stages(work, macs, parameters, made))


def _stages(lines: list[Line], macs: int, parameters: int, made: int) -> Iterator[Stage]:
    for size, group in groupby(lines, key=_size):
        part = list(group)
        own = sum(line.macs or 0 for line in part)
        owned = sum(line.parameters for line in part)
        taken = sum(line.bytes for line in part)
        yield Stage(
            size=size,
            channels=_channels(part[-1]),
            operations=len(part),
            parameters=owned,
            macs=own,
            bytes=taken,
            share_macs=own / macs,
            share_bytes=taken / made,
            share_parameters=owned / parameters,
        )


def _size(line: Line) -> Shape:
    """Height and width along which the field still moves, in whatever order the axes stand."""
    if line.field is None or len(line.output) < 3:
        return ()
    return tuple(line.output[dim] for dim in line.field.dims if dim >= 0)


def _channels(line: Line) -> int:
    dims = set(line.field.dims) if line.field else set()
    rest = [size for axis, size in enumerate(line.output) if axis > 0 and axis not in dims]
    return rest[-1] if rest else 1
