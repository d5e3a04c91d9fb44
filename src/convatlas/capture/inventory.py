"""What a network owns: its modules by path, its parameters and buffers, each shared tensor once."""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from convatlas.capture.traced import kind_name
from convatlas.errors import UserError
from convatlas.graph.graph import Parameter
from convatlas.graph.operation import Declared, Operation


class Inventory:
    """Found in one walk over the modules; raises `UserError` for a lazy one that has no shape.

    ``paths``: of each module by its id, the first if it has several. ``owned``: the position in
    ``parameters`` of each tensor by its id. ``trained``: ids of parameters, frozen ones among them.
    ``operations``: by path, of the modules that say themselves which operation they are.
    """

    def __init__(self, module: nn.Module) -> None:
        self.paths: dict[int, str] = {}
        self.owned: dict[int, int] = {}
        self.trained: set[int] = set()
        self.operations: dict[str, Operation] = {}
        self.modules: list[nn.Module] = []
        self.tensors: list[Tensor] = []
        self._storages: dict[int, int | None] | None = None  # None within: shared by several
        names: list[list[str]] = []
        buffers: list[tuple[str, Tensor]] = []
        for path, part in walked(module, ""):
            self._part(path, part)
            prefix = f"{path}." if path else ""
            for name, parameter in part._parameters.items():
                if parameter is not None:
                    self._tensor(prefix + name, parameter, names)
            buffers += [(prefix + n, b) for n, b in part._buffers.items() if b is not None]
        self.trained = set(self.owned)
        for name, buffer in buffers:
            self._tensor(name, buffer, names)
        self.parameters = [
            _parameter(tuple(called), tensor, id(tensor) not in self.trained)
            for called, tensor in zip(names, self.tensors, strict=True)
        ]

    def place(self, tensor: Tensor) -> int | None:
        """Which of the network's own a tensor is, or is a view of."""
        found = self.owned.get(id(tensor))
        if found is not None or type(tensor) is not Tensor:
            return found
        if self._storages is None:
            self._storages = {}
            for place, own in enumerate(self.tensors):
                key = own.untyped_storage()._cdata
                self._storages[key] = None if key in self._storages else place
        return self._storages.get(tensor.untyped_storage()._cdata)

    def _part(self, path: str, part: nn.Module) -> None:
        if id(part) in self.paths:
            return
        self.paths[id(part)] = path
        self.modules.append(part)
        if hasattr(type(part), "operation") and isinstance(part, Declared):
            self.operations[path] = part.operation()

    def _tensor(self, name: str, tensor: Tensor, names: list[list[str]]) -> None:
        if is_lazy(tensor):
            raise UserError(
                f"{name} has no shape yet, its module being lazy; run the network once on real "
                "input before it is captured"
            )
        place = self.owned.setdefault(id(tensor), len(self.tensors))
        if place == len(self.tensors):
            self.tensors.append(tensor)
            names.append([])
        names[place].append(name)


def walked(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    """Every module with its path; one that stands in several places comes several times."""
    yield path, module
    for name, part in module._modules.items():
        if part is not None:
            yield from walked(part, f"{path}.{name}" if path else name)


def _parameter(names: tuple[str, ...], tensor: Tensor, buffer: bool) -> Parameter:
    return Parameter(
        names=names,
        shape=tuple(tensor.shape),
        trainable=tensor.requires_grad and not buffer,
        buffer=buffer,
        dtype=kind_name(tensor.dtype),
    )
