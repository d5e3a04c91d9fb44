"""For a network that fails in the middle of an input: what is known up to there, and a way out."""

from dataclasses import replace

from convatlas.analysis.cost import Cost, cost
from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.doctor.fits import refused
from convatlas.analysis.legal import legal
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import DoesNotFit
from convatlas.workbench.ask import Network, Sizes
from convatlas.workbench.broken import BrokenOff
from convatlas.workbench.doctor import doctor

SAYS_IT_ITSELF = ("batch of one", "channels")  # the failure names its way out


def in_atlas(graph: Graph, error: DoesNotFit) -> BrokenOff:
    """A graph that does not take an input."""
    finding = refused(graph, error, legal(graph, error.made.inputs[0][0]))
    return BrokenOff(str(error), _up_to(graph, error), _tried(finding))


def in_module(
    network: Network, sizes: Sizes, error: UserError, *, batch: int, training: bool
) -> UserError:
    """A module whose own code fails: the doctor, which tries other sizes, may know why."""
    graph = getattr(error, "graph", None)
    if not isinstance(graph, Graph) or not graph.nodes:
        return error
    partial = replace(graph, outputs=(), guards=())
    try:
        report = doctor(network, sizes, batch=batch, training=training)
    except UserError:
        found = None
    else:
        errors = (f for f in report.examination.findings if f.weight == "error")
        found = next(errors, None)
    return BrokenOff(str(error), cost(partial, partial.inputs), _tried(found))


def _up_to(graph: Graph, error: DoesNotFit) -> Cost:
    nodes = graph.nodes[: error.index]
    inputs: tuple[Shape, ...] = error.made.inputs
    return cost(replace(graph, nodes=nodes, outputs=(), guards=()), inputs)


def _tried(finding: Finding | None) -> str:
    if finding is None or not finding.changes or finding.what in SAYS_IT_ITSELF:
        return ""
    first, *others = finding.changes
    more = f", or one of {len(others)} other changes:" if others else ":"
    return f"try {first}{more} see `convatlas doctor`"
