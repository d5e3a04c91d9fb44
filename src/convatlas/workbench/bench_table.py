"""What `convatlas.bench` has found, as a table, and what is in doubt of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convatlas.tables import Table

if TYPE_CHECKING:
    from convatlas.runtime.auto import Measured
    from convatlas.workbench.bench import Bench

Cell = str | int | float
COLUMNS = (
    *("network", "batch", "engine", "ms", "least", "most"),
    *("images/s", "x eager", "% of peak", "error"),
)
OF_COLD = ("cold start s", "MiB")
OF_INT8 = ("agreement %", "drop", "layers in int8", "mean error")
SAID = ("doubt", "refused")
DIGITS = 4  # of a figure; no measurement here is that exact
SPREAD = 2.0  # most to least of an engine's blocks; above it something else ran


def table(benches: "Sequence[Bench]", *, whole: bool = True) -> Table:
    """One row for each engine, with what is in doubt or why it was refused.

    ``error`` is a number, the largest relative one to eager; int8 has a mean one on real pictures
    instead. ``whole``: with the columns of words even where nothing is to be said.
    """
    int8 = any(b.quantised is not None for b in benches)
    cold = any(b.cold is not None for b in benches)
    columns = (*COLUMNS, *(OF_COLD if cold else ()), *(OF_INT8 if int8 else ()))
    rows, said = [], []
    for b in benches:
        for each in b.measured:
            extra = (*(_of_cold(b, each) if cold else ()), *(_of_int8(b, each) if int8 else ()))
            rows.append((*_row(b, each), *extra))
            said.append(("; ".join(doubts(b, each)), each.refused or ""))
    kept = [place for place in range(len(SAID)) if whole or any(words[place] for words in said)]
    return Table(
        (*columns, *(SAID[place] for place in kept)),
        tuple(
            (*row, *(words[place] for place in kept)) for row, words in zip(rows, said, strict=True)
        ),
    )


def doubts(b: "Bench", each: "Measured") -> tuple[str, ...]:
    """Why an engine's figures are no facts, or weaker ones."""
    if not each.seconds:
        return ()
    short = len(each.seconds) < b.effort.rounds
    cut = f"{len(each.seconds)} of {b.effort.rounds} blocks, as {b.effort.limit:g} s were over"
    return (*((cut,) if short else ()), *busy(b, each))


def busy(b: "Bench", each: "Measured") -> tuple[str, ...]:
    """What shows that the machine had other things to do while the engine was measured."""
    if not each.seconds:
        return ()
    spread = max(each.seconds) / min(each.seconds)
    return (
        *((f"most is {spread:.3g} times least",) if spread > SPREAD else ()),
        *((b.load,) if b.load else ()),
    )


def figure(value: float) -> float:
    """With as many digits as are worth printing, however small it is."""
    return float(f"{value:.{DIGITS}g}")


def _of_cold(b: "Bench", each: "Measured") -> tuple[Cell, ...]:
    """Seconds from a process's start to its first answer, and its largest memory; or why not."""
    found = (b.cold or {}).get(each.name, "")
    if isinstance(found, str):
        return f"failed: {found}" if found else "", ""
    return round(found.seconds, 2), round(found.memory / 2**20)


def _of_int8(b: "Bench", each: "Measured") -> tuple[Cell, ...]:
    """Percent of best classes that stay, points of accuracy lost, layers quantised, mean error."""
    found = (b.quantised or {}).get(each.name)
    if found is None:
        return ("",) * len(OF_INT8)
    drop = "unknown" if found.drop is None else round(100 * found.drop, 2)
    layers = f"{found.layers - len(found.float_layers)} of {found.layers}"
    return round(100 * found.agreement, 2), drop, layers, _error(found.error)


def _row(b: "Bench", each: "Measured") -> tuple[Cell, ...]:
    start = (b.network, b.batch, each.name)
    if each.refused:
        return (*start, *("",) * 7)
    eager = next((m.median for m in b.measured if m.name == "eager"), None)
    rate = b.batch / each.median
    return (
        *start,
        *(figure(1e3 * value) for value in (each.median, min(each.seconds), max(each.seconds))),
        figure(rate),
        figure(eager / each.median) if eager else "",
        "unknown" if b.macs is None else figure(100 * rate * b.macs / b.peak),
        "" if each.name in (b.quantised or {}) else _error(each.error),
    )


def _error(value: float) -> float:
    return float(f"{value:.1e}")
