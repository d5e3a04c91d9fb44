"""The options that ask for int8, and what is said of it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from convatlas.errors import UserError

if TYPE_CHECKING:
    from convatlas.runtime.bundle import BundleCard, Quantised
    from convatlas.workbench.int8 import Int8

MAX_DROP = 1.0
PERCENT = click.FloatRange(0, 100)


def int8_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--int8``, ``--max-drop`` and ``--min-agreement``."""
    for option in (
        click.option(
            "--min-agreement",
            type=PERCENT,
            help="Percent of best classes that stay; by default 97 where accuracy does not tell.",
        ),
        click.option(
            "--max-drop",
            type=PERCENT,
            default=MAX_DROP,
            show_default=True,
            help="Percentage points of accuracy that int8 may lose.",
        ),
        click.option(
            "--int8",
            metavar="DATA",
            help="Quantise with these pictures: mnist, cifar10, folder:PATH, ...",
        ),
    ):
        command = option(command)
    return command


def asked(data: str | None, max_drop: float, min_agreement: float | None) -> "Int8 | None":
    """The options as shares; `UserError` for limits without ``--int8``."""
    if data is None:
        if max_drop != MAX_DROP or min_agreement is not None:
            raise UserError("--max-drop and --min-agreement go with --int8 DATA; add it")
        return None
    from convatlas.workbench.int8 import Int8

    return Int8(
        data=data,
        max_drop=max_drop / 100,
        min_agreement=None if min_agreement is None else min_agreement / 100,
    )


def int8_record(card: "BundleCard") -> dict[str, object]:
    """What a card says of int8, in plain values; nothing for a network in float32."""
    import msgspec

    if card.quantised is None:
        return {}
    return {"quantised": msgspec.to_builtins(card.quantised)}


def int8_lines(card: "BundleCard") -> list[str]:
    """The same to be read."""
    found = card.quantised
    if found is None:
        return []
    kept = ", ".join(found.float_layers)
    layers = f"{found.layers - len(found.float_layers)} of {found.layers} layers"
    return [
        f"int8        {layers} by {found.method}, weights of {found.weight_bits} bits"
        + (f"; in float32: {kept}" if kept else ""),
        f"calibrated  on {found.calibrated} pictures of {found.data}",
        f"judged      on {found.judged} others, {found.part}: best class equal in "
        f"{share(found.agreement)}, mean relative error {found.error:.1e}",
        f"accuracy    {_accuracy(found)}",
    ]


def share(value: float) -> str:
    """In percent with two decimals; ``100%`` is all of them and nothing less."""
    return "100%" if value >= 1 else f"{min(100 * value, 99.99):.2f}%"


def _accuracy(found: "Quantised") -> str:
    if found.accuracy is None or found.original is None or found.interval is None:
        return f"unknown: {found.unknown}"
    low, high = (100 * bound for bound in found.interval)
    drop = 100 * (found.original - found.accuracy)
    return (
        f"{found.original:.2%} in float32, {found.accuracy:.2%} in int8: a drop of {drop:.2f} "
        f"points ({low:.2f} to {high:.2f})"
    )
