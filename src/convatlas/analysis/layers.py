"""The rows of a network's table: by module, repeated blocks folded into one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from convatlas.analysis.cost import Line
from convatlas.analysis.describe import describe
from convatlas.analysis.formula import formula
from convatlas.graph.operation import Shape
from convatlas.graph.source import Constant

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. Its figures stand for one of the ``times`` it occurs, its field for the last.

    A row with ``operation`` empty only heads the rows of a folded block, one ``indent`` deeper.
    """

    name: str
    operation: str = ""
    output: Shape = ()
    parameters: int = 0
    macs: int | None = 0
    work: int = 0
    bytes: int = 0
    field: str = ""
    jump: str = ""
    times: int = 1
    indent: int = 0
    formula: str = ""


class Part(NamedTuple):
    """Lines that stand together: those of one module, or one operation of the module around."""

    path: Path
    lines: tuple[Line, ...]


def rows(lines: Sequence[Line], *, depth: int | None = None, fold: bool = True) -> tuple[Row, ...]:
    """A row for each operation, or for each module ``depth`` levels down.

    With ``fold`` neighbours that are alike in everything but their place are told once.
    """
    visible = tuple(line for line in lines if line.parameters or not _is_filler(line))
    return tuple(_rows(visible, (), Layout(depth, fold)))


class Layout(NamedTuple):
    """How rows are to be made: to which depth, folded or not, how far in, for how many times."""

    depth: int | None
    fold: bool
    indent: int = 0
    times: int = 1
    root: int = 0  # path components that a heading above has named


def _rows(lines: tuple[Line, ...], path: Path, layout: Layout) -> Iterator[Row]:
    for alike in _folded(_parts(lines, path), len(path), layout):
        first, last = alike[0], alike[-1]
        repeated = layout._replace(times=layout.times * len(alike))
        if len(alike) == 1 or len(first.lines) == 1 or _is_leaf(first, layout):
            yield from _inner(alike, repeated)
            continue
        name = f"{_named(first.path, layout)} … {last.path[-1]}"
        yield Row(name=name, times=repeated.times, indent=layout.indent)
        inner = repeated._replace(indent=layout.indent + 1, root=len(last.path))
        yield from _rows(last.lines, last.path, inner)


def _inner(alike: Sequence[Part], layout: Layout) -> Iterator[Row]:
    """A part that is told without a heading of its own."""
    first, last = alike[0], alike[-1]
    named = _named(first.path, layout)
    if len(alike) > 1:
        named = f"{named} … {last.path[-1]}"
    if len(last.lines) == 1:
        yield _row(last.lines[0], named, layout)
    elif _is_leaf(last, layout):
        yield _sum(last, named, layout)
    else:
        yield from _rows(last.lines, last.path, layout)


def _parts(lines: tuple[Line, ...], path: Path) -> list[Part]:
    """Neighbours under the same module one level down; operations of this module by themselves."""
    found = []
    for child, group in groupby(lines, key=lambda line: _components(line)[: len(path) + 1]):
        if len(child) > len(path):
            found.append(Part(child, tuple(group)))
        else:
            found += [Part(path, (line,)) for line in group]
    return found


def _folded(parts: list[Part], level: int, layout: Layout) -> Iterator[list[Part]]:
    """Neighbours that are alike, together."""
    alike: list[Part] = []
    for part in parts:
        if alike and layout.fold and _alike(alike[-1], part, level):
            alike.append(part)
            continue
        if alike:
            yield alike
        alike = [part]
    if alike:
        yield alike


def _alike(one: Part, other: Part, level: int) -> bool:
    """The same operations on the same sizes under names that differ at this level alone."""
    if one.path == other.path or len(one.lines) != len(other.lines):
        return False
    return all(
        a.node.operation == b.node.operation
        and a.output == b.output
        and a.parameters == b.parameters
        and (a.macs, a.work, a.bytes) == (b.macs, b.work, b.bytes)
        and _components(a)[level + 1 :] == _components(b)[level + 1 :]
        for a, b in zip(one.lines, other.lines, strict=True)
    )


def _is_leaf(part: Part, layout: Layout) -> bool:
    """At the depth wanted a module is one row."""
    return layout.depth is not None and len(part.path) >= layout.depth


def _row(line: Line, name: str, layout: Layout) -> Row:
    return Row(
        name=name,
        operation=describe(line.node.operation),
        output=line.output,
        parameters=line.parameters,
        macs=line.macs,
        work=line.work,
        bytes=line.bytes,
        field=field_size(line),
        jump=field_jump(line),
        times=layout.times,
        indent=layout.indent,
        formula=formula(line),
    )


def _sum(part: Part, name: str, layout: Layout) -> Row:
    last = part.lines[-1]
    known = [line.macs for line in part.lines if line.macs is not None]
    return Row(
        name=name,
        operation=f"{len(part.lines)} operations",
        output=last.output,
        parameters=sum(line.parameters for line in part.lines),
        macs=sum(known) if len(known) == len(part.lines) else None,
        work=sum(line.work for line in part.lines),
        bytes=sum(line.bytes for line in part.lines),
        field=field_size(last),
        jump=field_jump(last),
        times=layout.times,
        indent=layout.indent,
    )


def _named(path: Path, layout: Layout) -> str:
    return ".".join(path[layout.root :])


def _components(line: Line) -> Path:
    return tuple(line.node.path.split(".")) if line.node.path else ()


def _is_filler(line: Line) -> bool:
    return isinstance(line.node.operation, Constant)


def field_size(line: Line) -> str:
    """The receptive field as printed: 7, 7×3, or ``all``."""
    if line.field is None:
        return ""
    if any(axis.whole for axis in line.field.axes):
        return "all"
    return _once([str(size) for size in line.field.size])


def field_jump(line: Line) -> str:
    """How many pixels of the input lie between two neighbours."""
    if line.field is None or any(axis.whole for axis in line.field.axes):
        return ""
    return _once([str(axis.jump) for axis in line.field.axes])


def _once(texts: list[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)
