"""Which operations of a graph a measure is about."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from convatlas.claims.measure import Bench
from convatlas.errors import UserError
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph, Node, Parameter
from convatlas.graph.propagate import Propagation

Paths = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Operations under some modules, of some kinds.

    ``at`` and ``without`` name modules; ``*`` stands for any name at its level. ``kinds`` are names
    of operations such as ``Conv``; ``kernel`` keeps the convolutions of one kernel.
    """

    at: Paths = ()
    without: Paths = ()
    kinds: tuple[str, ...] = ()
    kernel: tuple[int, ...] = ()
    training: bool = False
    size: str = ""  # of the picture, 3x224x224 or 224

    def network(self, bench: Bench, name: str) -> tuple[Graph, Propagation]:
        """The graph that is asked, with its shapes."""
        return bench.network(name, training=self.training, size=self.size)

    def nodes(self, graph: Graph) -> tuple[int, ...]:
        """The positions of the operations; raises `UserError` if there is none."""
        every = self == Selection(training=self.training, size=self.size)
        nodes = enumerate(graph.nodes)
        found = tuple(n for n, node in nodes if every or self._takes(node))
        if not found:
            raise UserError(f"{graph.name} has no operation {self._told()}; see `convatlas show`")
        return found

    def parameters(self, graph: Graph) -> tuple[Parameter, ...]:
        """The trained tensors; raises `UserError` if there is none."""
        places = list(range(len(graph.parameters)))
        if self.kinds or self.kernel:
            kept = {p for n in self.nodes(graph) for p in graph.nodes[n].parameters}
            places = [place for place in places if place in kept]
        found = tuple(
            tensor
            for tensor in (graph.parameters[place] for place in places)
            if tensor.trainable and not tensor.buffer and self._inside(tensor.names[0])
        )
        if not found:
            raise UserError(f"{graph.name} has no parameter {self._told()}; see `convatlas show`")
        return found

    def _takes(self, node: Node) -> bool:
        operation = node.operation
        if self.kinds and type(operation).__name__ not in self.kinds:
            return False
        if self.kernel and not (
            isinstance(operation, Conv | ConvTransposed) and operation.kernel == self.kernel
        ):
            return False
        return self._inside(node.path)

    def _inside(self, path: str) -> bool:
        at, without = listed(self.at), listed(self.without)
        return (not at or any(under(path, name) for name in at)) and not any(
            under(path, name) for name in without
        )

    def _told(self) -> str:
        told = {"at": self.at, "without": self.without, "kinds": self.kinds, "kernel": self.kernel}
        return ", ".join(f"{key} {value!r}" for key, value in told.items() if value) or "at all"


ALL = Selection()


def listed(paths: Paths) -> tuple[str, ...]:
    """One name or several as several."""
    return (paths,) if isinstance(paths, str) else paths


def under(path: str, module: str) -> bool:
    """Whether a path is that module's or lies in it."""
    if "*" not in module:
        return path == module or path.startswith(f"{module}.")
    wanted, found = module.split("."), path.split(".")
    return len(found) >= len(wanted) and all(map(fnmatchcase, found, wanted))


def last(graph: Graph, module: str) -> int:
    """Where a module's output stands: its last operation; raises `UserError`.

    ``input`` is the picture.
    """
    if module == "input":
        return graph.picture
    for place in range(len(graph.nodes) - 1, -1, -1):
        if under(graph.nodes[place].path, module):
            return place
    raise UserError(f"{graph.name} has no module {module!r}; see `convatlas show`")
