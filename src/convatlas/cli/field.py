"""``convatlas field``."""

import json
from pathlib import Path
from typing import Any

import click

from convatlas.arithmetic.coverage import Coverage, coverage, residues
from convatlas.arithmetic.derivation import of_field
from convatlas.arithmetic.drawing import of_coverage
from convatlas.arithmetic.field import Field, fields
from convatlas.arithmetic.picture import coverage_svg
from convatlas.arithmetic.stack import Layer, layer_text, parse_stack, stack_text
from convatlas.arithmetic.suggestion import suggest
from convatlas.cli.output import table_formats
from convatlas.errors import UserError
from convatlas.files import write_atomically
from convatlas.tables import Table, render
from convatlas.workbench.field import field as field_of_network

WIDEST = 40  # pixels of a map that is printed, two characters each
WIDEST_FULL = 15  # of a map that shows no holes


@click.command("field")
@click.argument("stack")
@click.option("--svg", type=click.Path(path_type=Path), help="Write the map as a picture.")
@click.option("--input", "sizes", multiple=True, metavar="CxHxW", help="Of a network.")
@click.option("--layer", help="Of a network: the layer whose coverage is told.")
@table_formats
def command(
    stack: str, svg: Path | None, sizes: tuple[str, ...], layer: str | None, form: str | None
) -> None:
    """Receptive field of a stack of layers: size, jump, start, coverage and the map of holes.

    STACK is kernels, first to last, each with dN dilation, sN stride and pN padding as needed; a
    pool is a kernel with a stride, and 3x1 is 3 high and 1 wide.

    \b
    convatlas field "3 3 3"
    convatlas field "3d2 3d2 3d2"
    convatlas field "7s2p3 3s2p1 3p1 3p1"

    Or of every layer of a network: convatlas field resnet50.
    """
    if stack[:1].isalpha():
        if svg:
            raise UserError('--svg draws the map of a stack, such as "3d2 3d2", not of a network')
        click.echo(field_of_network(stack, sizes, layer=layer).text(form))
        return
    layers = parse_stack(stack)
    seen = coverage(layers)
    if svg:
        write_atomically(svg, coverage_svg(seen, stack_text(layers)))
    if form == "json":
        click.echo(json.dumps(_record(layers, seen), ensure_ascii=False))
    elif form:
        click.echo(render(_table(layers), form))
    else:
        click.echo("\n".join([*_lines(layers, seen), *([f"\npicture  {svg}"] if svg else [])]))


def _lines(layers: tuple[Layer, ...], seen: Coverage) -> list[str]:
    """For people: the figures, how they come about, the map."""
    ends = [steps[-1] for steps in _steps(layers)]
    size, jump, start = (
        _both([getattr(end, name) for end in ends], always=name == "size")
        for name in ("size", "jump", "start")
    )
    facts = [
        ("receptive field", size),
        ("jump", f"{jump}, input pixels from one output's field to the next"),
        ("start", f"{start}, where the middle of the first field lies (0 is the first pixel)"),
        ("coverage", _share(seen)),
        *_skipped(seen, ends),
        *_advice(layers, seen),
    ]
    width = max(len(what) for what, _ in facts)
    return [
        *(f"{what.ljust(width)}  {text}" for what, text in facts),
        "",
        *_working(layers),
        "",
        *_map(seen),
    ]


def _steps(layers: tuple[Layer, ...]) -> list[tuple[Field, ...]]:
    """The fields layer by layer, along height and along width."""
    return [fields(windows) for windows in zip(*layers, strict=True)]


def _both(numbers: list[float], *, always: bool = False) -> str:
    """Height x width, or one number if they agree."""
    texts = [f"{number:g}" if number % 1 else f"{int(number)}" for number in numbers]
    return texts[0] if texts[0] == texts[1] and not always else "x".join(texts)


def _share(seen: Coverage) -> str:
    counts = f"{seen.read:,}/{seen.area:,} pixels are read"
    if not seen.gridding:
        return f"{counts}, no holes"
    return f"{counts} ({seen.share:.1%}): gridding, the others are never seen"


def _skipped(seen: Coverage, ends: list[Field]) -> list[tuple[str, str]]:
    """Pixels between the fields: no output reads them."""
    skipped = [
        f"{end.jump - len(touched)} of every {end.jump} {name}"
        for name, end, paths in zip(
            ("rows", "columns"), ends, (seen.rows, seen.columns), strict=True
        )
        if len(touched := residues(paths, end.jump)) < end.jump
    ]
    return [("skipped", f"{' and '.join(skipped)}, which no output reads")] if skipped else []


def _advice(layers: tuple[Layer, ...], seen: Coverage) -> list[tuple[str, str]]:
    """Dilations that close the holes, if there are any to be had."""
    if not seen.gridding:
        return []
    better = suggest(layers)
    if better is None:
        return [("suggestion", "none found: a stride skips pixels, or the field is too large")]
    closed = coverage(better)
    size = f"{len(closed.rows)}x{len(closed.columns)}"
    same = (len(closed.rows), len(closed.columns)) == (len(seen.rows), len(seen.columns))
    why = "as large and" if same else "smaller, but"
    return [("suggestion", f'"{stack_text(better)}" sees {size}, {why} without holes')]


def _working(layers: tuple[Layer, ...]) -> list[str]:
    """Each layer's step; along height and width apart if they differ."""
    names = [layer_text(layer) for layer in layers]
    width = max(map(len, names))
    texts = [
        [line.working for line in of_field(windows, steps)]
        for windows, steps in zip(zip(*layers, strict=True), _steps(layers), strict=True)
    ]
    lines = []
    for name, rows, columns in zip(names, *texts, strict=True):
        if rows == columns:
            lines.append(f"{name.ljust(width)}  {rows}")
        else:
            lines.append(f"{name.ljust(width)}  height: {rows}")
            lines.append(f"{' ' * width}  width:  {columns}")
    return lines


def _map(seen: Coverage) -> list[str]:
    size, longest = f"{len(seen.rows)}x{len(seen.columns)}", max(len(seen.rows), len(seen.columns))
    if longest > WIDEST_FULL and not seen.gridding:
        return [f"every pixel of the {size} is read"]
    if longest > WIDEST:
        return [f"the map of {size} is too large to print; --svg FILE draws it"]
    holes = ", · never read" if seen.gridding else ""
    return [of_coverage(seen), f"■ read{holes}"]


def _table(layers: tuple[Layer, ...]) -> Table:
    """A row for each layer: the field up to there."""
    rows, columns = _steps(layers)
    cells = []
    for number, layer in enumerate(layers, start=1):
        seen, ends = coverage(layers[:number]), (rows[number], columns[number])
        size = _both([end.size for end in ends], always=True)
        jump, start = _both([end.jump for end in ends]), _both([end.start for end in ends])
        cells.append((number, layer_text(layer), size, jump, start, seen.read, seen.area))
    return Table(("layer", "is", "field", "jump", "start", "pixels read", "of"), tuple(cells))


def _record(layers: tuple[Layer, ...], seen: Coverage) -> dict[str, Any]:
    """For programs. Pairs are (height, width); a pixel's paths are the product of its two."""
    better = suggest(layers)
    steps = list(zip(*_steps(layers), strict=True))[1:]
    return {
        "stack": stack_text(layers),
        **_ends(steps[-1]),
        "pixels_read": seen.read,
        "pixels": seen.area,
        "coverage": seen.share,
        "gridding": seen.gridding,
        "suggestion": stack_text(better) if better else None,
        "paths": [seen.rows, seen.columns],
        "layers": [
            {"layer": layer_text(layer), **_ends(ends)}
            for layer, ends in zip(layers, steps, strict=True)
        ],
    }


def _ends(ends: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "size": [end.size for end in ends],
        "jump": [end.jump for end in ends],
        "start": [end.start for end in ends],
    }
