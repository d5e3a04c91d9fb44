"""Recording a network's operations while its own code runs on stand-ins."""

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from convatlas.capture.dim import Axis, Origin, Sizes
from convatlas.capture.inventory import Inventory
from convatlas.capture.traced import Traced, kind_name
from convatlas.capture.values import Values
from convatlas.capture.whereabouts import CALL, line_now
from convatlas.graph.graph import Guard, Node
from convatlas.graph.operation import Measure, Operation, Shape, ShapeError
from convatlas.graph.pointwise import Replace
from convatlas.graph.source import Beside, Constant, Input

Call = Callable[["Tracer", Any, tuple[Any, ...], dict[str, Any]], Any]


class NeedsValues(Exception):
    """The network asks for the value of a tensor, which a stand-in does not have."""

    def __init__(self, what: str, path: str) -> None:
        super().__init__(f"{what} in {path or 'forward'} ({line_now()})")


class Tracer(TorchFunctionMode):
    """Sees every call of torch's functions and writes down a node for it.

    ``function`` and ``operator`` do this for a function of torch and for one of its own operators.
    With ``values`` a branch on values can be taken as the network would.
    """

    def __init__(
        self, inventory: Inventory, function: Call, operator: Call, values: Values | None = None
    ) -> None:
        super().__init__()
        self.inventory, self.values = inventory, values
        self.nodes: list[Node] = []
        self.shapes: list[Shape] = []
        self.guards: dict[tuple[Origin, str, Origin], Guard] = {}
        self.notes: list[str] = []
        self.sized = False  # whether anybody has asked for a size that depends on the input's
        self.refused: tuple[ShapeError, Node] | None = None  # the last that did not fit, and why
        self._function, self._operator = function, operator
        self._constants: dict[int, Traced] = {}  # by the id of a tensor that is no stand-in
        self._kept: list[Tensor] = []  # so that no id is used twice
        self._live = set(inventory.trained)  # ids of tensors that calls are written down for
        self._written: set[int] = set()  # ids of tensors that something was put into
        self._measures: dict[tuple[Operation, tuple[Shape, ...]], Measure] = {}
        self._pinned = False

    # ---- what the tables of functions use

    def record(
        self,
        operation: Operation,
        inputs: Sequence[Tensor],
        *,
        parameters: Sequence[Tensor | None] = (),
        sizes: Sizes | None = None,
        dtype: torch.dtype | None = None,
        alias: bool = False,
    ) -> Traced:
        """Write down one operation; parameters that were computed become inputs."""
        data = [self.stand_in(tensor) for tensor in inputs]
        owned = []
        for tensor in parameters:
            if tensor is not None:
                place = self.inventory.owned.get(id(tensor))
                if place is None or id(tensor) in self._written:
                    data.append(self.stand_in(tensor))
                else:
                    owned.append(place)
        positions = tuple([value.node for value in data])
        reads = (*positions, *sizes.nodes) if sizes else positions
        first = data[0]
        kind = first.dtype if dtype is None else dtype
        node = Node(
            operation=operation,
            inputs=reads,
            data=len(positions),
            path=self.path(),
            parameters=tuple(owned),
            dtype=kind_name(kind),
            alias=alias,
        )
        try:
            shape = self._measured(operation, tuple([self.shapes[index] for index in reads])).shape
        except ShapeError as error:
            self.refused = error, node
            raise
        made = self.added(node, shape, kind, first.device)
        made.fixed = first.fixed and len(reads) == len(data) and all(d.fixed for d in data)
        made.base = first if alias else None
        return made

    def added(self, node: Node, shape: Shape, dtype: torch.dtype, device: torch.device) -> Traced:
        """Put a finished node at the end; returns the stand-in for what it makes."""
        self.nodes.append(node)
        self.shapes.append(shape)
        return Traced(self, len(self.nodes) - 1, shape, dtype, device)

    def constant(self, sizes: Sequence[int], dtype: torch.dtype, device: torch.device) -> Traced:
        """A stand-in for a new tensor whose values do not matter: zeros, random numbers."""
        found = Sizes(sizes, 0)
        operation = Constant(sizes=found.values)
        shape = operation.measure(tuple(self.shapes[index] for index in found.nodes)).shape
        node = Node(
            operation=operation,
            inputs=tuple(found.nodes),
            data=0,
            path=self.path(),
            dtype=kind_name(dtype),
        )
        made = self.added(node, shape, dtype, device)
        made.fixed = not found.nodes
        return made

    def stand_in(self, tensor: Tensor) -> Traced:
        """A stand-in for any tensor: a parameter or buffer used as it is, or a constant."""
        if type(tensor) is Traced:
            assert tensor.tracer is self, "a stand-in of another capture"
            if tensor.written:
                self._written_through(tensor)
            return tensor
        found = self._constants.get(id(tensor))
        if found is None:
            mine = self.inventory.place(tensor)
            shape = tuple(tensor.shape)
            node = Node(
                operation=Constant(sizes=shape),
                inputs=(),
                data=0,
                path=self.path(),
                parameters=() if mine is None else (mine,),
                dtype=kind_name(tensor.dtype),
            )
            found = self.added(node, shape, tensor.dtype, tensor.device)
            found.fixed = True
            if self.values:
                found.followed = self.values.real(tensor)
            self._constants[id(tensor)] = found
            self._kept.append(tensor)
        return found

    def beside(self, made: Traced, dtype: torch.dtype, shape: Shape | None = None) -> Traced:
        """A second result of an operation: indices, statistics."""
        return self.record(Beside(shape=shape), [made], dtype=dtype)

    def moved(self, target: Tensor, made: Traced) -> Tensor:
        """After a change in place the same object goes on as the new node.

        A tensor that is none of ours stays as it is; from now on the new node is read for it.
        """
        if isinstance(target, Traced):
            target.node, target.followed = made.node, made.followed
            view, base = target, target.base
            while base is not None:
                if all(each is not view for each in base.written):
                    base.written = (*base.written, view)
                view, base = base, base.base
            return target
        self._constants[id(target)] = made
        self._kept.append(target)
        self._live.add(id(target))
        self._written.add(id(target))
        return target

    def noted(self, note: str) -> None:
        """Something a reader of the graph must know, said once."""
        if note not in self.notes:
            self.notes.append(note)

    def compared(self, left: Origin, relation: str, right: Origin, outcome: bool) -> None:
        """Keep a comparison of sizes, so that other input sizes can be told apart."""
        key = (left, relation, right)
        if key not in self.guards:
            sizes = Sizes([], 0)
            one, other = sizes.rewritten(left), sizes.rewritten(right)
            self.guards[key] = Guard(one, relation, other, outcome, tuple(sizes.nodes), self.path())

    def pin(self) -> None:
        """Hold the graph to the input sizes it was captured with."""
        if self._pinned:
            return
        self._pinned = True
        for index, node in enumerate(self.nodes):
            if isinstance(node.operation, Input):
                for axis, size in enumerate(self.shapes[index]):
                    self.compared(Axis(index, axis), "==", size, True)

    def path(self) -> str:
        """The module whose forward is running, read off the stack: nothing is hooked."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code is CALL:
                path = self.inventory.paths.get(id(frame.f_locals["self"]))
                if path is not None:
                    return path
            frame = frame.f_back
        return ""

    def owns(self, tensor: Tensor) -> bool:
        """Whether a tensor is a parameter or buffer of the network."""
        return id(tensor) in self.inventory.owned

    def concerns(self, values: Sequence[Any]) -> bool:
        """Whether something is to be written down for a call with these arguments."""
        for value in values:
            if type(value) is Traced or id(value) in self._live:
                return True
            if isinstance(value, list | tuple) and self.concerns(value):
                return True
        return False

    # ---- where calls come in

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """One call of one of torch's functions by the network."""
        return self._function(self, func, args, kwargs or {})

    def operator(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One of torch's own operators, called within a function that is in no table."""
        return self._operator(self, func, args, kwargs)

    def _written_through(self, base: Traced) -> None:
        """What was put into views of a tensor is in the tensor too, once it is read again."""
        views, base.written = base.written, ()
        for view in views:
            made = self.record(Replace(inplace=True), [base, view], alias=True)
            base.node = made.node

    def _measured(self, operation: Operation, inputs: tuple[Shape, ...]) -> Measure:
        """Equal operations on equal shapes are measured once: deep networks repeat themselves."""
        key = (operation, inputs)
        found = self._measures.get(key)
        if found is None:
            found = self._measures[key] = operation.measure(inputs)
        return found
