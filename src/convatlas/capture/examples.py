"""What a network is given, in any form, and what it returns, in any form."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeGuard

import torch
from torch import Tensor

from convatlas.capture.traced import Traced, kind_name
from convatlas.capture.tracer import Tracer
from convatlas.errors import UserError
from convatlas.graph.graph import Node
from convatlas.graph.operation import Shape
from convatlas.graph.source import Input

Example = Tensor | Shape
Examples = Example | Sequence[Example] | Mapping[str, Example]


@dataclass(frozen=True)
class Given:
    """Examples of a network's inputs, by position and by keyword."""

    positional: tuple[Example, ...]
    named: Mapping[str, Example]

    @property
    def real(self) -> tuple[Tensor, ...] | None:
        """All of them if they are tensors."""
        every = (*self.positional, *self.named.values())
        tensors = tuple(each for each in every if isinstance(each, Tensor))
        return tensors if len(tensors) == len(every) else None

    def drawn(self, kind: torch.dtype, device: torch.device) -> "Given":
        """The same with normal values (mean 0, deviation 1, seed 0) for every bare shape.

        On the meta device, where nothing has values, they stay shapes.
        """
        if device.type == "meta":
            return self
        chance = torch.Generator().manual_seed(0)

        def values(example: Example) -> Tensor:
            if isinstance(example, Tensor):
                return example
            return torch.randn(example, generator=chance).to(device, kind)

        named = {key: values(example) for key, example in self.named.items()}
        return Given(tuple(map(values, self.positional)), named)

    def of(self, shapes: Sequence[Shape]) -> "Given":
        """The same in other shapes, tensors without memory of their own."""
        count = len(self.positional)
        args = map(_of_shape, self.positional, shapes[:count])
        rest = zip(self.named.items(), shapes[count:], strict=True)
        return Given(tuple(args), {key: _of_shape(each, shape) for (key, each), shape in rest})

    def stand_ins(
        self, tracer: Tracer, kind: torch.dtype, device: torch.device
    ) -> tuple[list[Traced], dict[str, Traced]]:
        """What runs through the network; a bare shape is of this kind and on this device."""
        args = [
            _stand_in(tracer, each, f"input{number or ''}", kind, device)
            for number, each in enumerate(self.positional)
        ]
        named = {key: _stand_in(tracer, e, key, kind, device) for key, e in self.named.items()}
        return args, named


def given(example: object) -> Given:
    """Examples in any of their forms; raises `UserError` for anything else."""
    if isinstance(example, Tensor) or _is_shape(example):
        return Given((_one(example),), {})
    if isinstance(example, Mapping):
        return Given((), {str(key): _one(each) for key, each in example.items()})
    if isinstance(example, Sequence) and not isinstance(example, str):
        return Given(tuple(map(_one, example)), {})
    raise _no_example(example)


def _one(example: object) -> Example:
    if isinstance(example, Tensor):
        return example
    if _is_shape(example):
        return example
    raise _no_example(example)


def _no_example(example: object) -> UserError:
    return UserError(
        f"an example is a tensor or a shape with its batch such as (1, 3, 224, 224), given "
        f"{example!r}; several go into a list, or by keyword into a mapping"
    )


def results(name: str, made: Any) -> Iterator[tuple[str, Any]]:
    """Every part of a result, under the names it has there."""
    parts: list[tuple[str, Any]]
    if isinstance(made, Mapping):
        parts = [(str(key), value) for key, value in made.items()]
    elif hasattr(made, "_fields"):
        parts = [(field, getattr(made, field)) for field in made._fields]
    elif isinstance(made, list | tuple):
        parts = [(str(number), value) for number, value in enumerate(made)]
    elif is_dataclass(made):
        parts = [(field.name, getattr(made, field.name)) for field in fields(made)]
    else:
        yield name, made
        return
    for key, value in parts:
        yield from results(f"{name}.{key}" if name else key, value)


def _of_shape(example: Example, shape: Shape) -> Example:
    if isinstance(example, Tensor):
        return example.new_empty(()).expand(shape)
    return shape


def _is_shape(example: object) -> TypeGuard[Shape]:
    return isinstance(example, list | tuple) and all(
        type(size) is int and size >= 0 for size in example
    )


def _stand_in(
    tracer: Tracer, example: Example, name: str, kind: torch.dtype, device: torch.device
) -> Traced:
    real = example if isinstance(example, Tensor) else None
    shape = tuple(example.shape) if isinstance(example, Tensor) else tuple(example)
    dtype = kind if real is None else real.dtype
    node = Node(operation=Input(name=name), inputs=(), data=0, dtype=kind_name(dtype))
    made = tracer.added(node, shape, dtype, device if real is None else real.device)
    if tracer.values and real is not None:
        made.followed = real.detach().clone()
    return made
