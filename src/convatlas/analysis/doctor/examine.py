"""All questions of the doctor, in the order in which one would mend things."""

from dataclasses import dataclass

from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.doctor.fits import refused
from convatlas.analysis.doctor.sight import (
    gridding,
    larger_than_input,
    single_pixels,
    single_values,
)
from convatlas.analysis.doctor.waste import only_padding, unread_maps, unread_pixels, unused
from convatlas.analysis.legal import Legal, legal
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import DoesNotFit, propagate

WEIGHTS = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Examination:
    """A network at one input: which sides it takes, and everything that was found."""

    graph: Graph
    inputs: tuple[Shape, ...]
    legal: Legal
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.weight == "note" for finding in self.findings)


def examine(graph: Graph, inputs: tuple[Shape, ...]) -> Examination:
    """What is wrong with a network at an input, the worst first."""
    sides = legal(graph, inputs[0][0])
    try:
        made = propagate(graph, inputs)
    except DoesNotFit as error:
        return Examination(graph, inputs, sides, (refused(graph, error),))
    findings = (
        *single_values(graph, made),
        *single_pixels(graph, made),
        *only_padding(graph, made),
        *unread_pixels(graph, made),
        *unread_maps(graph, made),
        *gridding(graph, made),
        *larger_than_input(graph, made),
        *unused(graph),
    )
    ordered = sorted(findings, key=lambda finding: WEIGHTS.index(finding.weight))
    return Examination(graph, inputs, sides, tuple(ordered))
