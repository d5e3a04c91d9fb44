"""Recording a network's operations while its own code runs on stand-ins."""

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from convatlas.capture.dim import Axis, Joined, Origin, origin
from convatlas.capture.traced import Traced
from convatlas.graph.graph import Guard, Node, Parameter
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.sizes import Formula, Size, SizeOf
from convatlas.graph.source import Beside, Constant, Input

CALL = nn.Module._call_impl.__code__


class NeedsValues(Exception):
    """The network asks for the value of a tensor, which a stand-in does not have."""

    def __init__(self, what: str, path: str) -> None:
        super().__init__(f"{what} in {path or 'forward'}")
        self.what, self.path = what, path


class Tracer(TorchFunctionMode):
    """Sees every call of torch's functions and writes down a node for it.

    With ``values`` each stand-in also carries its real value, so that a branch on values can be
    taken as the network would; buffers are copied first, so the network's own stay as they are.
    """

    def __init__(self, module: nn.Module, *, values: bool = False) -> None:
        super().__init__()
        self.values = values
        self.nodes: list[Node] = []
        self.shapes: list[Shape] = []
        self.guards: dict[tuple[Origin, str, Origin], Guard] = {}
        self.notes: list[str] = []
        self.here = ""  # the path of the operation that is being measured
        self.parameters: list[Parameter] = []
        self._owned: dict[int, int] = {}  # id of a tensor of the module: position in parameters
        self._constants: dict[int, Traced] = {}  # id of a tensor that is no stand-in
        self._kept: list[Tensor] = []  # so that no id is used twice
        self._copies: dict[int, Tensor] = {}
        self._paths = {id(m): path for path, m in module.named_modules()}
        self._collect(module)

    # ---- what the tables of functions use

    def record(
        self,
        operation: Operation,
        inputs: Sequence[Tensor],
        *,
        parameters: Sequence[Tensor | None] = (),
        sizes: "Sizes | None" = None,
        dtype: torch.dtype | None = None,
        alias: bool = False,
    ) -> Traced:
        """Write down one operation; parameters that were computed become inputs."""
        data = [self.stand_in(tensor) for tensor in inputs]
        owned = []
        for tensor in parameters:
            if tensor is None:
                continue
            if id(tensor) in self._owned:
                owned.append(self._owned[id(tensor)])
            else:
                data.append(self.stand_in(tensor))
        positions = [value.node for value in data]
        refer = sizes.nodes if sizes else ()
        self.here = self.path()
        made = operation.measure(tuple(self.shapes[index] for index in (*positions, *refer)))
        first = data[0] if data else None
        kind = dtype or (first.dtype if first is not None else torch.get_default_dtype())
        node = Node(
            operation=operation,
            inputs=(*positions, *refer),
            data=len(positions),
            path=self.here,
            parameters=tuple(owned),
            dtype=str(kind)[6:],
            alias=alias,
        )
        device = first.device if first is not None else torch.device("cpu")
        return self.added(node, made.shape, kind, device)

    def added(self, node: Node, shape: Shape, dtype: torch.dtype, device: torch.device) -> Traced:
        """Put a finished node at the end; returns the stand-in for what it makes."""
        self.nodes.append(node)
        self.shapes.append(shape)
        return Traced(self, len(self.nodes) - 1, shape, dtype, device)

    def stand_in(self, tensor: Tensor) -> Traced:
        """A stand-in for any tensor: a parameter or buffer used as it is, or a constant."""
        if isinstance(tensor, Traced):
            return tensor
        found = self._constants.get(id(tensor))
        if found is None:
            mine = self._owned.get(id(tensor))
            shape = tuple(tensor.shape)
            node = Node(
                operation=Constant(sizes=shape),
                inputs=(),
                data=0,
                path=self.path(),
                parameters=() if mine is None else (mine,),
                dtype=str(tensor.dtype)[6:],
            )
            found = self.added(node, shape, tensor.dtype, tensor.device)
            found.followed = self.real(tensor) if self.values else None
            self._constants[id(tensor)] = found
            self._kept.append(tensor)
        return found

    def beside(self, made: Traced, dtype: torch.dtype) -> Traced:
        """A second result of an operation: indices, statistics."""
        return self.record(Beside(), [made], dtype=dtype)

    def moved(self, target: Tensor, made: Traced) -> Tensor:
        """After a change in place the same object goes on as the new node."""
        if not isinstance(target, Traced):
            raise NeedsValues("a constant is written over with computed values", self.path())
        target.node = made.node
        return target

    def noted(self, note: str) -> None:
        """Something a reader of the graph must know, said once."""
        if note not in self.notes:
            self.notes.append(note)

    def compared(self, left: Origin, relation: str, right: Origin, outcome: bool) -> None:
        """Keep a comparison of sizes, so that other input sizes can be told apart."""
        if (left, relation, right) not in self.guards:
            sizes = Sizes([], 0)
            key = (left, relation, right)
            one, other = sizes.rewritten(left), sizes.rewritten(right)
            self.guards[key] = Guard(one, relation, other, outcome, tuple(sizes.nodes), self.path())

    def pin(self) -> None:
        """Hold the graph to the input sizes it was captured with."""
        for index, node in enumerate(self.nodes):
            if isinstance(node.operation, Input):
                for axis, size in enumerate(self.shapes[index]):
                    self.compared(Axis(index, axis), "==", size, True)

    def path(self) -> str:
        """The module whose forward is running, read off the stack: nothing is hooked."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code is CALL:
                path = self._paths.get(id(frame.f_locals["self"]))
                if path is not None:
                    return path
            frame = frame.f_back
        return ""

    def owns(self, tensor: Tensor) -> bool:
        """Whether a tensor is a parameter or buffer of the network."""
        return id(tensor) in self._owned

    # ---- the mode

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """One call of one of torch's functions by the network."""
        from convatlas.capture.functions import called

        made = called(self, func, args, kwargs or {})
        if self.values:
            self._follow(func, args, kwargs or {}, made)
        return made

    # ---- values

    def real(self, value: Any) -> Any:
        """What a stand-in stands for; a buffer of the module as a copy; containers of these."""
        if isinstance(value, Traced):
            return value.followed
        if isinstance(value, Tensor) and id(value) in self._owned and not value.requires_grad:
            return self._copies.setdefault(id(value), value.clone())
        if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
            return type(value)(map(self.real, value))
        return value

    def _follow(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
        """Do the call with real values and hang them on what it made."""
        waiting = [m for m in (made if isinstance(made, list | tuple) else [made])]
        if not any(isinstance(value, Traced) for value in waiting):
            return
        real = func(*self.real(args), **{key: self.real(value) for key, value in kwargs.items()})
        results = real if isinstance(real, list | tuple) else [real]
        for value, result in zip(waiting, results, strict=True):
            if isinstance(value, Traced):
                value.followed = result

    # ---- the network's own tensors

    def _collect(self, module: nn.Module) -> None:
        names: dict[int, list[str]] = {}
        tensors: dict[int, tuple[Tensor, bool]] = {}
        for name, parameter in module.named_parameters(remove_duplicate=False):
            names.setdefault(id(parameter), []).append(name)
            tensors[id(parameter)] = (parameter, False)
        for name, buffer in module.named_buffers(remove_duplicate=False):
            names.setdefault(id(buffer), []).append(name)
            tensors.setdefault(id(buffer), (buffer, True))
        for key, (tensor, is_buffer) in tensors.items():
            self._owned[key] = len(self.parameters)
            self.parameters.append(
                Parameter(
                    names=tuple(names[key]),
                    shape=tuple(tensor.shape),
                    trainable=tensor.requires_grad,
                    buffer=is_buffer,
                    dtype=str(tensor.dtype)[6:],
                )
            )


class Sizes:
    """Sizes for an operation: origins become positions among the node's inputs.

    ``nodes`` are the inputs to put behind the data, read for their shapes alone.
    """

    def __init__(self, numbers: Sequence[int], data: int) -> None:
        self.nodes: list[int] = []
        self._data = data
        self.values = tuple(self.rewritten(origin(number)) for number in numbers)

    def rewritten(self, source: Origin) -> Size:
        """One origin with its nodes as positions."""
        if isinstance(source, Axis):
            if source.node not in self.nodes:
                self.nodes.append(source.node)
            return SizeOf(self._data + self.nodes.index(source.node), source.axis)
        if isinstance(source, Joined):
            left, right = self.rewritten(source.left), self.rewritten(source.right)
            return Formula(source.operator, left, right)
        return source
