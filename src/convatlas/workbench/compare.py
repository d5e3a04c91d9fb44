"""Several networks side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from convatlas.analysis.compare import Figures, figures
from convatlas.analysis.cost import CONVENTION, cost
from convatlas.errors import UserError
from convatlas.files import write_atomically
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask

COLUMNS = {
    "input": "inputs",
    "layers": "layers",
    "parameters": "parameters",
    "MACs": "macs",
    "weight bytes": "weights",
    "bytes made": "activations",
    "bytes at once": "peak",
    "field": "field",
}
RATIOS = {"× parameters": "parameters", "× MACs": "macs", "× bytes at once": "peak"}


@dataclass(frozen=True, slots=True)
class Compared:
    """The figures of each network, in the order asked, and their ratios to the first."""

    networks: tuple[Figures, ...]

    @property
    def table(self) -> Table:
        """One row a network; ratios to the first behind."""
        first = self.networks[0]
        rows = []
        for one in self.networks:
            values = [getattr(one, field) for field in COLUMNS.values()]
            ratios = one.ratios(first)
            rows.append(
                (
                    one.network,
                    *("" if value is None else value for value in values),
                    *(ratio(ratios.get(name)) for name in RATIOS.values()),
                )
            )
        return Table(("network", *COLUMNS, *RATIOS), tuple(rows))

    def text(self, form: str | None = None) -> str:
        """The table in a format, see `convatlas.tables.render`."""
        body = render(self.table, form)
        return body if form else f"{body}\n\n{self.note}"

    @property
    def note(self) -> str:
        """What must be said beside the numbers."""
        return f"Ratios are to {self.networks[0].network}. {CONVENTION}"

    def draw(self, path: Path) -> None:
        """Parameters over MACs as SVG, PNG or PDF, by the file's ending; raises `UserError`."""
        from convatlas.plots.scatter import scatter  # imports matplotlib

        kind = path.suffix.removeprefix(".").lower()
        if kind not in ("svg", "png", "pdf"):
            raise UserError(f"cannot draw {path}: end its name in .svg, .png or .pdf")
        write_atomically(path, scatter(self.networks, kind))

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return f"{self.text('html')}\n<p>{escape(self.note)}</p>"


def compare(
    networks: Sequence[Network],
    sizes: Sizes = (),
    *,
    batch: int = 1,
    training: bool = False,
) -> Compared:
    """Each network at its own input, or all at the one given; raises `UserError`."""
    if not networks:
        raise UserError("name the networks to compare, such as lenet5 alexnet")
    asked = [ask(network, sizes, batch=batch, training=training) for network in networks]
    return Compared(tuple(figures(cost(one.graph, one.inputs)) for one in asked))


def ratio(value: float | None) -> float | str:
    """Rounded to what is worth reading."""
    if value is None:
        return ""
    return round(value, 2 if value < 100 else 0) if value < 100 else round(value)
