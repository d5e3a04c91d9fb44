"""``convatlas export``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from convatlas.cli.int8 import asked, int8_lines, int8_options, int8_record, share
from convatlas.errors import UserError
from convatlas.runtime.form import Form
from convatlas.runtime.format_names import SUFFIXES

if TYPE_CHECKING:
    from convatlas.runtime.export import Receipt
    from convatlas.workbench.given import Given

FILE = click.Path(path_type=Path)
# with AMX or AVX512-BF16 its default is bfloat16, and nothing in the file can say otherwise
OPENVINO = (
    "compile     with INFERENCE_PRECISION_HINT=f32 for this equality; OpenVINO's default may be "
    "bfloat16"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The command line as given."""

    what: str
    to: str | None
    out: Path | None
    input: str | None
    classes: int | None
    weights: Path | None
    labels: Path | None
    pictures: Path | None
    mean: str | None
    std: str | None
    side: int | None
    dynamic_batch: bool
    dynamic_size: bool
    fuse: bool
    int8: str | None
    max_drop: float
    min_agreement: float | None
    as_json: bool


@click.command("export")
@click.argument("what", metavar="RUN-or-NET")
@click.option(
    "--to",
    type=click.Choice(tuple(SUFFIXES)),
    help="By default what the suffix of --out says, else bundle.",
)
@click.option("--out", type=FILE, help="By default the network's name.")
@click.option("--input", help="3x224x224; needed for a network of your own.")
@click.option("--classes", type=int, help="By default as published.")
@click.option("--weights", type=FILE, help="A file of ours, torchvision's or timm's.")
@click.option("--labels", type=FILE, help="A text file, one class a line.")
@click.option("--pictures", type=FILE, help="A folder; some of it are compared, too.")
@click.option("--mean", help="Of pixels from 0 to 1, like 0.485,0.456,0.406.")
@click.option("--std", help="Likewise, like 0.229,0.224,0.225.")
@click.option("--side", type=int, help="Pictures' shorter side before the centre is cut.")
@click.option(
    "--dynamic-batch/--fixed-batch", default=True, show_default=True, help="Any batch, or one."
)
@click.option("--dynamic-size", is_flag=True, help="Pictures of any size the network takes.")
@click.option("--fuse", is_flag=True, help="Take uint8 pictures; the preparation goes inside.")
@int8_options
@click.option("--json", "as_json", is_flag=True)
def command(**given: Any) -> None:
    """Write a network for other engines, and prove the file equal.

    A run's network, a built-in one with weights of a file or drawn ones, or your own as
    package.module:name. The written file is run and compared with torch; nothing is kept if it
    computes something else.
    """
    from convatlas.workbench.export import export

    arguments = Arguments(**given)
    form = Form(
        dynamic_batch=arguments.dynamic_batch,
        dynamic_size=arguments.dynamic_size,
        fused=arguments.fuse,
    )
    int8 = asked(arguments.int8, arguments.max_drop, arguments.min_agreement)
    receipt = export(arguments.what, arguments.to, arguments.out, form, _given(arguments), int8)
    if arguments.as_json:
        click.echo(json.dumps(record(receipt), indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(lines(receipt)))


def record(receipt: "Receipt") -> dict[str, object]:
    """All a receipt says, in plain values."""
    card = receipt.card
    return {
        "network": receipt.network,
        "to": receipt.to,
        "files": [str(file) for file in receipt.files],
        "replaced": [str(file) for file in receipt.replaced],
        "bytes": receipt.bytes,
        "seconds": round(receipt.seconds, 2),
        "input": list(card.input),
        "fused": card.fused,
        "precision": card.precision,
        **({"opset": card.opset} if receipt.is_onnx else {}),
        "classes": len(card.labels) or None,
        "source": card.source,
        "versions": card.versions,
        "compared": [
            {"inputs": c.inputs, "relative_error": c.error, "agreement": c.agreement}
            for c in card.compared
        ],
        **int8_record(card),
    }


def lines(receipt: "Receipt") -> list[str]:
    """The same to be read: files, what goes in, where it comes from, how equal it is."""
    card = receipt.card
    names = zip(card.input, ("N", "C", "H", "W"), strict=True)
    shape = " x ".join(name if size is None else str(size) for size, name in names)
    kind = "uint8" if card.fused else "float32"
    opset = f", opset {card.opset}" if receipt.is_onnx else ""
    return [
        *(_wrote(file, file in receipt.replaced) for file in receipt.files),
        f"takes       {shape} {kind}; weights {card.precision}{opset}",
        *(f"{name:<11} {text}" for name, text in card.source.items()),
        *(
            f"compared    {c.inputs}: relative error {c.error:.1e}, "
            f"best class equal in {share(c.agreement)}"
            for c in card.compared
        ),
        *((OPENVINO,) if receipt.to == "openvino" else ()),
        *int8_lines(card),
        f"took        {receipt.seconds:.1f} s",
    ]


def _wrote(file: Path, replaced: bool) -> str:
    older = ", in place of an older file" if replaced else ""
    return f"wrote       {file}  {file.stat().st_size:,} bytes{older}"


def _given(arguments: Arguments) -> "Given":
    from convatlas.workbench.given import Given

    return Given(
        input=arguments.input,
        classes=arguments.classes,
        weights=arguments.weights,
        labels=arguments.labels,
        pictures=arguments.pictures,
        mean=_numbers("--mean", arguments.mean),
        deviation=_numbers("--std", arguments.std),
        side=arguments.side,
    )


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"{option} takes numbers, like 0.485,0.456,0.406; given {text!r}") from None
