"""How fast the engines of this machine run a network, beside torch eager."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.errors import UserError
from convatlas.runtime.engine_names import ALONE, check_name
from convatlas.runtime.measure import FULL, Effort
from convatlas.runtime.threads import check_threads
from convatlas.workbench.ask import Sizes, texts_of
from convatlas.workbench.int8 import check as check_int8
from convatlas.workbench.int8 import quantise
from convatlas.workbench.named import check_named

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.auto import Choice, Measured
    from convatlas.runtime.bundle import Quantised
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.network import Network
    from convatlas.workbench.cold import Cold
    from convatlas.workbench.int8 import Int8

    Named = str | Path | nn.Module
Told = Callable[[str, str], None]  # of which network and batch, or "", and what is being done


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A network at a batch: its engines, fastest first, and what they are measured against."""

    network: str
    batch: int
    macs: int | None  # of one picture, if they can be counted
    peak: float  # multiply-adds a second of a large matrix product on the same threads
    measured: "tuple[Measured, ...]"
    threads: int = 1
    effort: Effort = FULL
    quantised: "Mapping[str, Quantised] | None" = None  # of the engines in int8, where asked for
    cold: "Mapping[str, Cold | str] | None" = None  # fresh starts, where asked for; or why not
    note: str = ""  # why there is no share of the peak
    load: str = ""  # what ran already when all began, if that was more than there are processors
    left_out: Mapping[str, str] = field(
        default_factory=dict
    )  # engines not named, and what they lack


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How engines are measured; none is left out of a round for being slow.

    ``threads``: by default torch's, at most one a processor. ``int8``: measure int8 engines too,
    quantised with these pictures. ``cold``: also start each engine in a process of its own.
    """

    threads: int | None = None
    effort: Effort = FULL
    int8: "Int8 | None" = None
    cold: bool = False


def untold(*_: str) -> None:
    """Nobody asks how far it has come."""


def bench(
    networks: "Named | Sequence[Named]",
    batches: int | Sequence[int] = (1,),
    engines: str | Sequence[str] = (),
    how: How = How(),
    *,
    input: Sizes | None = None,
    told: Told = untold,
) -> tuple[Bench, ...]:
    """Measure every network at every batch on the named engines, or on all that are installed.

    ``networks``: one or several, each a built-in one by name, a run folder, ``package.module:name``
    or a module. ``input``: its size, like (3, 224, 224) or ``3x224x224``, which networks of one's
    own do not say themselves. Blocks of the engines alternate. ``told`` hears what is being done.
    Raises `UserError`. Sets torch's number of threads.
    """
    nets, counts, names = _listed(networks), _numbers(batches), _names(engines)
    _check(nets, counts, names, how)
    busy = _load()
    told("", "importing torch")
    import torch

    from convatlas.runtime.auto import choose
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.peak import peak
    from convatlas.workbench.export import Given, network_of

    threads = how.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    effort = replace(how.effort, hopeless=math.inf)
    told("", "measuring a matrix product, for the share of the peak")
    top, found = peak(), []
    left_out = {} if names else _left_out()
    size = None if input is None else " and ".join(texts_of(input))
    for what in nets:
        told(_label(what), "being made")
        network = network_of(what, Given(input=size))
        job = Job(network=network, threads=threads)
        macs, note = _macs(network)
        if how.int8:
            told(_label(what), f"being quantised with {how.int8.data}, and judged")
        small = quantise(what, job, how.int8) if how.int8 else None
        for batch in counts:
            tell = partial(told, f"{_label(what)}, batch {batch}")
            choice = choose(
                job.at(batch),
                names,
                effort=effort,
                judged=small.engines(job.at(batch)) if small else {},
                tell=tell,
            )
            if how.cold:
                tell("starting each engine in a process of its own")
            found.append(
                Bench(
                    network=_label(what),
                    batch=batch,
                    macs=macs,
                    peak=top,
                    measured=(*choice.measured, *(small.refused if small else ())),
                    threads=threads,
                    effort=effort,
                    quantised=small.reports if small else None,
                    cold=_cold(_label(what), size, job.at(batch), choice) if how.cold else None,
                    note=note,
                    load=busy,
                    left_out=left_out,
                )
            )
    return tuple(found)


def _listed(networks: "Named | Sequence[Named]") -> "tuple[str | nn.Module, ...]":
    """One network or several, paths as text."""
    if isinstance(networks, Sequence) and not isinstance(networks, str):
        return tuple(str(what) if isinstance(what, Path) else what for what in networks)
    return (str(networks) if isinstance(networks, Path) else networks,)


def _numbers(batches: int | Sequence[int]) -> tuple[int, ...]:
    return (batches,) if isinstance(batches, int) else tuple(batches)


def _names(engines: str | Sequence[str]) -> tuple[str, ...]:
    return (engines,) if isinstance(engines, str) else tuple(engines)


def _check(
    nets: "Sequence[str | nn.Module]", batches: Sequence[int], engines: Sequence[str], how: How
) -> None:
    """All that can be said without torch, whose import takes seconds."""
    if not nets:
        raise UserError("no network is given; give one of `convatlas list`, a run, or your own")
    if min(batches, default=0) < 1:
        raise UserError(f"batches are numbers from 1, given {list(batches)}; like 1,32")
    for name in engines:
        check_name(name.removesuffix(ALONE))
    check_threads(how.threads, times=1)  # with more of them nothing can be measured
    if how.int8:
        check_int8(how.int8)
    for what in nets:
        if isinstance(what, str):
            check_named(what)
        elif how.cold:
            raise UserError(
                f"the {_label(what)} in hand cannot be started in another process; for cold starts "
                "give package.module:name"
            )


def _label(what: "str | nn.Module") -> str:
    return what if isinstance(what, str) else type(what).__name__


def _load() -> str:
    """The load of the last minute in words, if it is more than this machine's processors."""
    there = os.cpu_count() or 1
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # not on Windows
        return ""
    return f"load {load:.1f} on {there} processors" if load > there else ""


def _left_out() -> dict[str, str]:
    """The engines that run unless they cannot, and what they lack here."""
    from convatlas.runtime.engines import ENGINES

    lacking = {name: each.lacking() for name, each in ENGINES.items() if not each.asked}
    return {name: reason for name, reason in lacking.items() if reason}


def _macs(network: "Network") -> tuple[int | None, str]:
    """Multiply-adds of a picture, or why they cannot be counted."""
    from convatlas.runtime.work import macs_of

    try:
        return macs_of(network), ""
    except UserError as error:
        return None, f"no share of the peak, as its multiply-adds cannot be counted: {error}"


def _cold(name: str, size: str | None, job: "Job", choice: "Choice") -> "Mapping[str, Cold | str]":
    """Every engine that was measured, but those in int8, started afresh."""
    from convatlas.runtime.engines import ENGINES
    from convatlas.workbench.cold import cold

    names = [m.name for m in choice.measured if not m.refused]
    return cold(name, job, [each for each in names if each.removesuffix(ALONE) in ENGINES], size)
