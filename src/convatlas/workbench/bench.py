"""How fast the engines of this machine run a network, beside torch eager."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from convatlas.errors import UserError
from convatlas.tables import Table

if TYPE_CHECKING:
    from convatlas.runtime.auto import Choice, Measured
    from convatlas.runtime.bundle import Quantised
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.measure import Effort
    from convatlas.runtime.network import Network
    from convatlas.workbench.cold import Cold
    from convatlas.workbench.int8 import Int8

COLUMNS = (
    *("network", "batch", "engine", "ms", "least", "most"),
    *("images/s", "x eager", "% of peak", "error"),
)
OF_COLD = ("cold start s", "MiB")
OF_INT8 = ("agreement %", "drop", "layers in int8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A network at a batch: its engines, fastest first, and what they are measured against."""

    network: str
    batch: int
    macs: int | None  # of one picture, if they can be counted
    peak: float  # multiply-adds a second of a large matrix product on the same threads
    measured: "tuple[Measured, ...]"
    quantised: "Mapping[str, Quantised] | None" = None  # of the engines in int8, where asked for
    cold: "Mapping[str, Cold | str] | None" = None  # fresh starts, where asked for; or why not
    note: str = ""  # why there is no share of the peak


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How engines are measured; none is left out of a round for being slow.

    ``size``: the input, like 3x224x224, which networks of one's own need (package.module:name).
    ``threads``: by default torch's. ``int8``: measure int8 engines too, quantised with these
    pictures. ``cold``: also start each engine in a process of its own.
    """

    size: str | None = None
    threads: int | None = None
    effort: "Effort | None" = None
    int8: "Int8 | None" = None
    cold: bool = False


def bench(
    networks: Sequence[str],
    batches: Sequence[int] = (1,),
    engines: Sequence[str] = (),
    how: How = How(),
) -> tuple[Bench, ...]:
    """Measure every network at every batch on the named engines, or on all that are installed.

    Blocks of the engines alternate. Raises `UserError`. Sets torch's number of threads.
    """
    import torch

    from convatlas.runtime.auto import choose
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.measure import Effort
    from convatlas.runtime.peak import peak
    from convatlas.workbench.export import Given, network_of
    from convatlas.workbench.int8 import quantise

    if min(batches, default=0) < 1:
        raise UserError(f"batches are numbers from 1, given {list(batches)}; like --batch 1,32")
    count = how.threads or torch.get_num_threads()
    torch.set_num_threads(count)
    effort = replace(how.effort or Effort(), hopeless=math.inf)
    top, found = peak(), []
    for name in networks:
        network = network_of(name, Given(input=how.size))
        job = Job(network=network, threads=count)
        macs, note = _macs(network)
        small = quantise(name, job, how.int8) if how.int8 else None
        for batch in batches:
            choice = choose(
                job.at(batch),
                tuple(engines),
                effort=effort,
                judged=small.engines(job.at(batch)) if small else {},
            )
            found.append(
                Bench(
                    network=name,
                    batch=batch,
                    macs=macs,
                    peak=top,
                    measured=(*choice.measured, *(small.refused if small else ())),
                    quantised=small.reports if small else None,
                    cold=_cold(name, how.size, job.at(batch), choice) if how.cold else None,
                    note=note,
                )
            )
    return tuple(found)


def _macs(network: "Network") -> tuple[int | None, str]:
    """Multiply-adds of a picture, or why they cannot be counted."""
    from convatlas.runtime.work import macs_of

    try:
        return macs_of(network), ""
    except UserError as error:
        return None, f"no share of the peak, as its multiply-adds cannot be counted: {error}"


def table(benches: Sequence[Bench]) -> Table:
    """One row for each engine; a refused one says why in place of its error."""
    int8 = any(b.quantised is not None for b in benches)
    cold = any(b.cold is not None for b in benches)
    columns = (*COLUMNS, *(OF_COLD if cold else ()), *(OF_INT8 if int8 else ()))
    rows = []
    for b in benches:
        for each in b.measured:
            extra = (*(_of_cold(b, each) if cold else ()), *(_of_int8(b, each) if int8 else ()))
            rows.append((*_row(b, each), *extra))
    return Table(columns, tuple(rows))


def _of_cold(b: Bench, each: "Measured") -> tuple[str | float, ...]:
    """Seconds from a process's start to its first answer, and its largest memory; or why not."""
    found = (b.cold or {}).get(each.name, "")
    if isinstance(found, str):
        return f"failed: {found}" if found else "", ""
    return round(found.seconds, 2), round(found.memory / 2**20)


def _cold(name: str, size: str | None, job: "Job", choice: "Choice") -> "Mapping[str, Cold | str]":
    """Every engine that was measured, but those in int8, started afresh."""
    from convatlas.runtime.engine_names import ALONE
    from convatlas.runtime.engines import ENGINES
    from convatlas.workbench.cold import cold

    names = [m.name for m in choice.measured if not m.refused]
    return cold(name, job, [each for each in names if each.removesuffix(ALONE) in ENGINES], size)


def _of_int8(b: Bench, each: "Measured") -> tuple[str | float, ...]:
    """Percent of best classes that stay, points of accuracy lost, layers quantised."""
    found = (b.quantised or {}).get(each.name)
    if found is None:
        return ("",) * len(OF_INT8)
    drop = "unknown" if found.drop is None else round(100 * found.drop, 2)
    layers = f"{found.layers - len(found.float_layers)} of {found.layers}"
    return round(100 * found.agreement, 2), drop, layers


def _row(b: Bench, each: "Measured") -> tuple[str | int | float, ...]:
    start = (b.network, b.batch, each.name)
    if each.refused:
        return (*start, *("",) * 6, f"refused: {each.refused}")
    small = (b.quantised or {}).get(each.name)
    eager = next((m.median for m in b.measured if m.name == "eager"), None)
    rate = b.batch / each.median
    return (
        *start,
        *(round(1e3 * value, 3) for value in (each.median, min(each.seconds), max(each.seconds))),
        round(rate, 1),
        round(eager / each.median, 2) if eager else "",
        "unknown" if b.macs is None else round(100 * rate * b.macs / b.peak, 1),
        f"{small.error:.0e} on average" if small else f"{each.error:.0e}",
    )
