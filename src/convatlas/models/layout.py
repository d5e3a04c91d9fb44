"""Building a network without weights, for who only wants to know its shapes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class _Undrawn(TorchFunctionMode):
    """Nothing is written into a tensor: drawing weights has no effect and takes no time."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name.endswith("_") and not name.endswith("__"):
            return args[0] if args else kwargs["tensor"]  # torch.nn.init calls it by name
        return func(*args, **kwargs)


@contextmanager
def without_weights() -> Iterator[None]:
    """What is built inside lies on the meta device and draws no weights."""
    with torch.device("meta"), _Undrawn():
        yield
