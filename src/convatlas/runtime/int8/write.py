"""Writing an int8 network into a file, with its card."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from convatlas.errors import UserError
from convatlas.runtime.bundle import BundleCard, Compared
from convatlas.runtime.closeness import EQUAL, relative_error
from convatlas.runtime.extras import need
from convatlas.runtime.format_names import INT8, check_int8
from convatlas.runtime.formats import FORMATS, Export
from convatlas.runtime.int8.judge import Feeds
from convatlas.runtime.int8.quantised import Plan, Result, quantised
from convatlas.runtime.onnx_file import to_onnx


def write_int8(what: Export, plan: Plan, prove: Callable[[Path], object], path: Path) -> BundleCard:
    """Export in float32, ``prove`` that file, quantise it, write; the card that was written.

    Raises `UserError` for a format that holds no int8, and as `quantised` does.
    """
    check_int8(what.to)
    blob = to_onnx(what.network, what.form)
    whole = path.with_name("float32.onnx")
    whole.write_bytes(blob)
    prove(whole)
    whole.unlink()
    result = quantised(blob, what.card, plan, INT8[what.to])
    card = int8_card(what.card, result)
    FORMATS[what.to].save(result.model, card, path)
    _check_written(FORMATS[what.to].open(what.network, path), result, Feeds(plan.sample, card, 1))
    return card


def int8_card(card: BundleCard, result: Result) -> BundleCard:
    """The card of the float32 export with what is true of int8."""
    report = result.report
    packages = ("nncf", "openvino") if report.method == "nncf" else ()
    return msgspec.structs.replace(
        card,
        precision="int8",
        quantised=report,
        compared=(
            Compared(
                inputs=f"{report.judged} of {report.data}, int8 with float32",
                error=result.worst,
                agreement=report.agreement,
            ),
        ),
        versions=card.versions | {name: need(name).__version__ for name in packages},
    )


def _check_written(run: Callable[..., Any], result: Result, feeds: Feeds) -> None:
    """What was judged in memory and what lies in the file give the same scores."""
    for fed in feeds:
        found, judged = np.asarray(run(fed)), result.run(fed)
        if not relative_error(found, judged) <= EQUAL:
            raise UserError("the written file computes something else than what was judged")
