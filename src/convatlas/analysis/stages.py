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
    """One stage for each run of lines with the same height and width; mere views open none.

    Branches of which one halves the size and the next starts again from the whole are one stage
    before and one after.
    """
    work = [line for line in lines if _does(line) and not isinstance(line.node.operation, Input)]
    macs = sum(line.macs or 0 for line in work) or 1
    parameters = sum(line.parameters for line in work) or 1
    made = sum(line.bytes for line in work) or 1
    return tuple(_stages(work, macs, parameters, made))


def _stages(lines: list[Line], macs: int, parameters: int, made: int) -> Iterator[Stage]:
    sized = zip(_sizes(lines), lines, strict=True)
    runs = groupby(sized, key=lambda each: each[0])
    for size, part in _joined([(size, [line for _, line in group]) for size, group in runs]):
        own = sum(line.macs or 0 for line in part)
        owned = sum(line.parameters for line in part)
        taken = sum(line.bytes for line in part)
        yield Stage(
            size=size,
            channels=_channels(next((line for line in part[::-1] if _is_map(line)), part[-1])),
            operations=len(part),
            parameters=owned,
            macs=own,
            bytes=taken,
            share_macs=own / macs,
            share_bytes=taken / made,
            share_parameters=owned / parameters,
        )


def _joined(runs: list[tuple[Shape, list[Line]]]) -> list[tuple[Shape, list[Line]]]:
    """A, B, A, B as A, B: branches that are computed one after another."""
    done: list[tuple[Shape, list[Line]]] = []
    for size, part in runs:
        done.append((size, part))
        while len(done) > 3 and [run[0] for run in done[-4:-2]] == [run[0] for run in done[-2:]]:
            again = done[-2:]
            del done[-2:]
            for (_, kept), (_, more) in zip(done[-2:], again, strict=True):
                kept += more
    return done


def _does(line: Line) -> bool:
    return bool(line.macs or line.work or line.parameters or line.bytes or line.macs is None)


def _sizes(lines: Sequence[Line]) -> Iterator[Shape]:
    """The map that each line works on; what reads no picture (a mask, a table) is done for one."""
    last = next((_size(line) for line in lines if line.field is not None), ())
    for line in lines:
        last = last if line.field is None else _size(line)
        yield last


def _size(line: Line) -> Shape:
    """Height and width along which the field still moves, in whatever order the axes stand."""
    if line.field is None or len(line.output) < 3:
        return ()
    if line.field.split is not None:  # in windows or tokens
        return line.field.split.lengths
    return tuple(line.output[dim] for dim in line.field.dims if dim >= 0)


def _is_map(line: Line) -> bool:
    """Whether positions stand along axes of the tensor: neither a mask nor cut into windows."""
    return line.field is not None and line.field.split is None


def _channels(line: Line) -> int:
    dims = set(line.field.dims) if line.field else set()
    rest = [size for axis, size in enumerate(line.output) if axis > 0 and axis not in dims]
    return rest[-1] if rest else 1
