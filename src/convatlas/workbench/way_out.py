"""For a network that fails in the middle of an input: what is known up to there, and a way out."""

import re
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

SAYS_IT_ITSELF = ("batch of one",)  # the failure names its way out


def in_atlas(graph: Graph, error: DoesNotFit) -> BrokenOff:
    """A graph that does not take an input."""
    finding = refused(graph, error, legal(graph, error.made.inputs[0][0]))
    return BrokenOff(str(error), _up_to(graph, error), _tried(finding, error.why))


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
    return BrokenOff(str(error), cost(partial, partial.inputs), _tried(found, str(error)))


def _up_to(graph: Graph, error: DoesNotFit) -> Cost:
    nodes = graph.nodes[: error.index]
    inputs: tuple[Shape, ...] = error.made.inputs
    return cost(replace(graph, nodes=nodes, outputs=(), guards=()), inputs)


def _tried(finding: Finding | None, said: str) -> str:
    """The first change that the failure, which may name a way out, has not said itself."""
    if finding is None or finding.what in SAYS_IT_ITSELF:
        return ""
    own = re.search(r"; set its (\w+) to (\d+)", said)
    new = [c for c in finding.changes if not own or not c.startswith(f"{own[1]}={own[2]} ")]
    if not new:
        return ""
    first, *others = new
    count = f"one of {len(others)} other changes" if others[1:] else "another change"
    more = f", or {count}:" if others else ":"
    return f"{'or ' if own else ''}try {first}{more} see `convatlas doctor`"
