"""All questions of the doctor, in the order in which one would mend things."""

from dataclasses import dataclass

from convatlas.analysis.doctor.case import case_of
from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.doctor.fits import refused
from convatlas.analysis.doctor.gridding import gridding
from convatlas.analysis.doctor.sight import larger_than_input, single_pixels, single_values
from convatlas.analysis.doctor.strayed import strayed
from convatlas.analysis.doctor.unread import unread_maps, unread_pixels
from convatlas.analysis.doctor.waste import only_padding, unused
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
    def fits(self) -> bool:
        """Whether nothing stops the network at this input."""
        return all(finding.weight != "error" for finding in self.findings)

    @property
    def healthy(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.weight == "note" for finding in self.findings)


def examine(
    graph: Graph, inputs: tuple[Shape, ...], *, training: bool | None = None
) -> Examination:
    """What is wrong with a network at an input, the worst first.

    ``training``: it is going to be trained at this input; by default as the graph was captured.
    A graph without outputs is one whose code was stopped by its last operation.
    """
    sides = legal(graph, inputs[0][0]) if graph.outputs else Legal()
    try:
        made = propagate(graph, inputs)
    except DoesNotFit as error:
        return Examination(graph, inputs, sides, (refused(graph, error, sides),))
    case = case_of(graph, made, training=graph.training if training is None else training)
    findings = (
        *strayed(case),
        *single_values(case),
        *single_pixels(case),
        *only_padding(case),
        *unread_pixels(case),
        *unread_maps(case),
        *gridding(case),
        *larger_than_input(case),
        *unused(case),
    )
    ordered = sorted(findings, key=lambda finding: WEIGHTS.index(finding.weight))
    return Examination(graph, inputs, sides, tuple(ordered))
