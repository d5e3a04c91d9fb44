"""``convatlas export``."""

import json
from pathlib import Path

import click

TO = ("bundle", "onnx", "openvino", "torchscript", "safetensors", "exported-program")


@click.command("export")
@click.argument("what", metavar="RUN-or-NET")
@click.option("--to", type=click.Choice(TO), default="bundle", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="By default the network's name.")
@click.option(
    "--dynamic-batch/--fixed-batch", default=True, show_default=True, help="Any batch, or one."
)
@click.option("--dynamic-size", is_flag=True, help="Pictures of any size the network takes.")
@click.option("--fuse", is_flag=True, help="Take uint8 pictures; a run's preparation goes inside.")
@click.option("--json", "as_json", is_flag=True)
def command(
    what: str,
    to: str,
    out: Path | None,
    dynamic_batch: bool,
    dynamic_size: bool,
    fuse: bool,
    as_json: bool,
) -> None:
    """Write the network of a run, or a built-in one with drawn weights, and prove it equal.

    The written file is run and compared with torch; nothing is kept if it computes something else.
    """
    from convatlas.runtime.onnx_file import Form  # imports torch
    from convatlas.workbench.export import export

    form = Form(dynamic_batch=dynamic_batch, dynamic_size=dynamic_size, fused=fuse)
    receipt = export(what, to, out, form)
    compared = [
        {"inputs": c.inputs, "relative_error": c.error, "agreement": c.agreement}
        for c in receipt.card.compared
    ]
    if as_json:
        record = {
            "network": receipt.network,
            "to": receipt.to,
            "files": [str(file) for file in receipt.files],
            "bytes": receipt.bytes,
            "seconds": round(receipt.seconds, 2),
            "compared": compared,
        }
        click.echo(json.dumps(record, indent=1))
        return
    for file in receipt.files:
        click.echo(f"wrote     {file}  {file.stat().st_size:,} bytes")
    for each in compared:
        click.echo(
            f"compared  {each['inputs']}: relative error {each['relative_error']:.1e}, "
            f"best class equal in {each['agreement']:.0%}"
        )
