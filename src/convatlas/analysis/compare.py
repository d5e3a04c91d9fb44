"""Networks side by side, with how many times the first one's each figure is."""

from dataclasses import dataclass

from convatlas.analysis.cost import Cost
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.field_axes import Field
from convatlas.graph.operation import elements
from convatlas.graph.product import Dense, Distance


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is compared of one network at its input; sizes in bytes."""

    network: str
    inputs: str
    layers: int  # with weights: convolutions and dense layers, each call
    parameters: int
    macs: int
    work: int
    weights: int
    activations: int  # everything that is made
    peak: int  # of what lives at once
    field: int | None  # the side of the largest local field; None if there is none

    def ratios(self, first: "Figures") -> dict[str, float]:
        """Each figure over that of another network."""
        names = ("layers", "parameters", "macs", "work", "weights", "activations", "peak")
        return {
            name: getattr(self, name) / getattr(first, name)
            for name in names
            if getattr(first, name)
        }


def figures(cost: Cost) -> Figures:
    """The figures of one network."""
    graph = cost.graph
    weighted = (Conv, ConvTransposed, Dense, Distance)
    sizes = [size for line in cost.lines if (size := _side(line.field)) is not None]
    return Figures(
        network=graph.name,
        inputs=", ".join("×".join(map(str, shape[1:])) for shape in cost.made.inputs),
        layers=sum(isinstance(node.operation, weighted) for node in graph.nodes),
        parameters=cost.parameters,
        macs=cost.macs,
        work=cost.made.work,
        weights=cost.weight_bytes,
        activations=cost.live.total,
        peak=cost.live.peak,
        field=max(sizes, default=None),
    )


def _side(field: Field | None) -> int | None:
    if field is None or not field.local or not elements(field.size):
        return None
    return max(field.size)
