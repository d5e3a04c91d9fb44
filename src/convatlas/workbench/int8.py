"""The pictures that int8 is calibrated on and judged by, for what is exported or measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.data.names import check_data
from convatlas.errors import UserError
from convatlas.runtime.format_names import check_int8

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.auto import Measured
    from convatlas.runtime.bundle import Quantised
    from convatlas.runtime.engines.engine import Engine, Job
    from convatlas.runtime.int8.quantised import Plan, Result
    from convatlas.runtime.int8.sample import Trained
    from convatlas.runtime.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Int8:
    """Pictures to quantise with (a named set or ``folder:PATH``) and what may be lost, in shares.

    ``max_drop``: of the accuracy where it tells. ``min_agreement`` with float32: by default 0.97
    where the accuracy is unknown or near chance, else not asked for.
    """

    data: str
    max_drop: float = 0.01
    min_agreement: float | None = None


def check(int8: Int8, to: str | None = None) -> None:
    """Refuse a format that holds no int8, limits that are no shares, data that is not there.

    Raises `UserError`; imports no torch.
    """
    if to is not None:
        check_int8(to)
    for name in ("max_drop", "min_agreement"):
        value = getattr(int8, name)
        if value is not None and not 0 <= value <= 1:
            raise UserError(f"{name} is a share from 0 to 1, given {value:g}; 0.01 is one point")
    check_data(int8.data, labelled=False)


@dataclass(frozen=True, slots=True)
class Small:
    """A network in int8, by the names of the engines that run it; and the engines refused."""

    results: "Mapping[str, Result]"
    refused: "tuple[Measured, ...]"

    @property
    def reports(self) -> "dict[str, Quantised]":
        """What was lost, by engine."""
        return {name: result.report for name, result in self.results.items()}

    def engines(self, job: "Job") -> "dict[str, Engine]":
        """Built for a job."""
        from convatlas.runtime.int8.engines import INT8_ENGINES

        return {
            name: INT8_ENGINES[name][1](result.model, job) for name, result in self.results.items()
        }


def quantise(what: "str | nn.Module", job: "Job", int8: Int8) -> Small:
    """A network in int8 by every method, to be measured.

    Weights that are drawn give scores that are nearly ties; unless an agreement is asked for by
    name, none is demanded of them, as there is nothing to lose. Raises `UserError` for the data.
    """
    from convatlas.runtime.auto import Measured
    from convatlas.runtime.export import make_card
    from convatlas.runtime.int8.engines import INT8_ENGINES
    from convatlas.runtime.int8.quantised import quantised
    from convatlas.runtime.onnx_file import Form

    network = job.network
    if int8.min_agreement is None and network.source.get("weights", "").startswith("drawn"):
        int8 = replace(int8, min_agreement=0.0)
    asked = plan(what, network, int8)
    results, refused = {}, []
    for name, (method, _) in INT8_ENGINES.items():
        try:
            results[name] = quantised(job.onnx(), make_card(network, Form()), asked, method)
        except UserError as error:
            refused.append(Measured(name=name, error=float("inf"), refused=str(error)))
    return Small(results, tuple(refused))


def plan(what: "str | nn.Module", network: "Network", int8: Int8) -> "Plan":
    """Load and divide the data; of a run's own data as the run did. No test part is opened.

    Raises `UserError`.
    """
    from convatlas.runtime.int8.judge import Limits
    from convatlas.runtime.int8.quantised import Plan
    from convatlas.runtime.int8.sample import gather

    trained = _trained(Path(what)) if isinstance(what, str) and Path(what).is_dir() else None
    limits = Limits(max_drop=int8.max_drop, min_agreement=int8.min_agreement)
    return Plan(gather(int8.data, network, trained), limits)


def _trained(folder: Path) -> "Trained":
    """What a run says of its data. One that chose by the test part held nothing else out."""
    from convatlas.runtime.int8.sample import Trained
    from convatlas.training.run import load_run

    card = load_run(folder).card
    return Trained(
        data=card.data.name,
        checksums=card.data.checksums,
        size=card.data.size,
        validation=0.0 if card.selected_on == "test" else card.recipe.validation,
        seed=card.data.split_seed,
    )
