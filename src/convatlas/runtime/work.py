"""How much there is to compute: multiply-adds of one picture, from the graph."""

from convatlas.analysis.cost import cost
from convatlas.capture.capture import capture
from convatlas.runtime.network import Network


def macs_of(network: Network) -> int:
    """Multiply-adds of one picture; `UserError` for a module whose code cannot be followed."""
    return cost(capture(network.module, (1, *network.shape), name=network.name, one_size=True)).macs
