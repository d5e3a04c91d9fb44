"""What a network needs of memory, in lines below its table."""

from collections.abc import Iterator

from convatlas.analysis.amount import amount
from convatlas.analysis.cost import Cost
from convatlas.analysis.describe import describe
from convatlas.analysis.memory import TrainingMemory
from convatlas.graph.graph import Node


def memory_lines(found: Cost, step: TrainingMemory | str) -> Iterator[str]:
    """Weights, activations, and a step of training, or why it cannot be told."""
    live = found.live
    nodes = found.graph.nodes
    yield f"weights      {amount(found.weight_bytes)}, buffers included"
    if nodes:
        yield (
            f"activations  {amount(live.total)} made, {amount(live.peak)} at once at the most "
            f"(in {_named(nodes[live.at])})"
        )
    if isinstance(step, str):
        yield f"training     {step}"
    else:
        batch = step.inputs[0][0]
        unknown = f", without {', '.join(step.unknown)}" if step.unknown else ""
        yield (
            f"training     {amount(step.peak)} at once at the most, batch {batch}, SGD with "
            f"momentum ({step.phase} in {step.path or 'forward'}){unknown}"
        )


def _named(node: Node) -> str:
    return node.path or describe(node.operation)
