"""``convatlas conv``."""

from dataclasses import dataclass
from typing import Any, Literal

import click

from convatlas.arithmetic.convolution import Convolution, separable
from convatlas.arithmetic.geometry import Geometry, Pair, Shape
from convatlas.arithmetic.pooling import Pool
from convatlas.arithmetic.six import six
from convatlas.arithmetic.size import Word
from convatlas.arithmetic.stack import LARGEST, parse_pair
from convatlas.arithmetic.transposed import Transposed
from convatlas.cli import conv_layer
from convatlas.cli.demos import DEMOS
from convatlas.cli.output import table_formats
from convatlas.errors import UserError
from convatlas.tables import Table, render

EXAMPLE = "such as convatlas conv 3x64x64 --out 4 --kernel 3 --padding same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    shape: str | None
    out: int | None
    kernel: str | None
    stride: str | None
    padding: str | None
    dilation: str | None
    groups: int | None
    bias: bool
    transposed: bool
    output_padding: str | None
    separable: bool
    pool: Literal["max", "avg"] | None
    ceil: bool
    compare: bool
    demo: str | None
    form: str | None


@click.command("conv")
@click.argument("shape", required=False, metavar="CxHxW")
@click.option("--out", type=int, metavar="N", help="Output channels.")
@click.option("--kernel", metavar="K", help="3, or 3x5 for height x width; so are the next three.")
@click.option("--stride", metavar="N", help="[default: 1; the kernel for a pool]")
@click.option("--padding", metavar="N|valid|same", help="[default: 0; same with --compare]")
@click.option("--dilation", metavar="N", help="Distance between the kernel's taps. [default: 1]")
@click.option("--groups", type=int, metavar="N", help="[default: 1; channels with --compare]")
@click.option(
    "--no-bias", "bias", is_flag=True, default=True, flag_value=False, help="Weights only."
)
@click.option("--transposed", is_flag=True, help="Transposed convolution.")
@click.option("--output-padding", metavar="N", help="Of a transposed convolution. [default: 0]")
@click.option("--separable", is_flag=True, help="Depthwise, then pointwise.")
@click.option("--pool", type=click.Choice(["max", "avg"]), help="A pool instead.")
@click.option("--ceil", is_flag=True, help="Round a pool's size up.")
@click.option("--compare", is_flag=True, help="Six layers side by side.")
@click.option("--demo", type=click.Choice(list(DEMOS)), help="A worked example instead of a layer.")
@table_formats
def command(**given: Any) -> None:
    """Size, parameters, multiply-adds and receptive field of one layer on an input, worked out.

    \b
    convatlas conv 3x64x64 --out 4 --kernel 3 --padding same
    convatlas conv 8x16x16 --out 4 --kernel 4 --stride 2 --padding 1 --transposed
    convatlas conv 64x55x55 --pool max --kernel 3 --stride 2
    convatlas conv 3x10x10 --out 30 --kernel 10 --compare
    """
    arguments = Arguments(**given)
    _check_combination(arguments)
    if arguments.demo:
        shown = DEMOS[arguments.demo]()
        click.echo(render(shown.table, arguments.form) if arguments.form else shown.text())
    elif arguments.compare:
        click.echo(render(_compared(arguments), arguments.form))
    else:
        _show(_reports(arguments), arguments.form)


def parse_shape(text: str | None) -> Shape:
    """``3x64x64``; `UserError` for anything else."""
    if text is None:
        raise UserError(f"no input is given; write channels x height x width, {EXAMPLE}")
    sides = text.split("x")
    if len(sides) != 3 or not all(side.isascii() and side.isdigit() for side in sides):
        raise UserError(f"{text!r} is no input; write channels x height x width, {EXAMPLE}")
    channels, height, width = map(int, sides)
    if not channels or not 1 <= height <= LARGEST or not 1 <= width <= LARGEST:
        raise UserError(f"the input {text} needs channels and sides from 1 to {LARGEST}")
    return channels, height, width


def _check_combination(given: Arguments) -> None:
    """Refuse options that do not go together."""
    kinds = {
        "--transposed": given.transposed,
        "--separable": given.separable,
        "--pool": given.pool,
        "--compare": given.compare,
        "--demo": given.demo,
    }
    chosen = [name for name, value in kinds.items() if value]
    if len(chosen) > 1:
        raise UserError(f"{' and '.join(chosen)} do not go together; choose one")
    needs = {  # option: (whether it is given, the kinds it goes with, None being a plain layer)
        "--output-padding": (given.output_padding, ("--transposed",)),
        "--ceil": (given.ceil, ("--pool",)),
        "--groups": (given.groups, (None, "--transposed", "--compare")),
        "--out": (given.out, (None, "--transposed", "--separable", "--compare")),
    }
    kind = chosen[0] if chosen else None
    for option, (value, kinds_of) in needs.items():
        if value is not None and value is not False and kind not in kinds_of:
            raise UserError(
                f"{option} does not go with {kind or 'a plain convolution'}; leave it out"
                + ("" if None in kinds_of else f" or add {kinds_of[0]}")
            )
    if given.demo and given.shape:
        raise UserError(f"--demo has its own input, given {given.shape}; leave one out")


def _geometry(given: Arguments, *, padding: Pair | Word) -> Geometry:
    if given.kernel is None:
        raise UserError(f"no kernel is given; add --kernel, {EXAMPLE}")
    kernel = parse_pair(given.kernel)
    usual = kernel if given.pool else (1, 1)
    return Geometry(
        kernel=kernel,
        stride=parse_pair(given.stride) if given.stride else usual,
        padding=_padding(given.padding) if given.padding else padding,
        dilation=parse_pair(given.dilation) if given.dilation else (1, 1),
    )


def _padding(text: str) -> Pair | Word:
    if text == "valid":
        return "valid"
    if text == "same":
        return "same"
    if not text[:1].isdigit():
        raise UserError(f"--padding is a number, HxW, valid or same; given {text!r}")
    return parse_pair(text)


def _channels(given: Arguments) -> int:
    if given.out is None:
        raise UserError(f"the number of output channels is missing; add --out, {EXAMPLE}")
    return given.out


def _compared(given: Arguments) -> Table:
    """The six layers of ``--compare``."""
    shape = parse_shape(given.shape)
    geometry = _geometry(given, padding="same")
    rivals = six(shape, _channels(given), geometry, groups=given.groups, bias=given.bias)
    return Table(
        ("layer", "output", "parameters", "MACs", "parameters are"),
        tuple(
            (
                rival.name,
                conv_layer.shape_text(rival.cost.output),
                rival.cost.parameters,
                rival.cost.macs,
                rival.working,
            )
            for rival in rivals
        ),
    )


def _reports(given: Arguments) -> tuple[conv_layer.Report, ...]:
    """One report, or two for a separable layer."""
    shape = parse_shape(given.shape)
    geometry = _geometry(given, padding=(0, 0))
    if given.pool:
        pool = Pool(kind=given.pool, geometry=geometry, ceil=given.ceil)
        return (conv_layer.of_pool(pool, shape),)
    c_out, groups = _channels(given), 1 if given.groups is None else given.groups
    if given.separable:
        first, second = separable(shape[0], c_out, geometry, bias=given.bias)
        depthwise = conv_layer.of_convolution("depthwise", first, shape)
        return depthwise, conv_layer.of_convolution("pointwise", second, depthwise.cost.output)
    if given.transposed:
        layer = Transposed(
            c_in=shape[0],
            c_out=c_out,
            geometry=geometry,
            output_padding=parse_pair(given.output_padding or "0"),
            groups=groups,
            bias=given.bias,
        )
        return (conv_layer.of_transposed(layer, shape),)
    plain = Convolution(
        c_in=shape[0], c_out=c_out, geometry=geometry, groups=groups, bias=given.bias
    )
    return (conv_layer.of_convolution("convolution", plain, shape),)


def _show(reports: tuple[conv_layer.Report, ...], form: str | None) -> None:
    """Everything about a layer, or about two in a row and their sum."""
    if form is not None:
        click.echo(render(conv_layer.as_table(reports, more=True), form))
        return
    click.echo("\n\n".join(map(conv_layer.as_text, reports)))
    if len(reports) > 1:
        click.echo(f"\n{render(conv_layer.as_table(reports), None)}")
