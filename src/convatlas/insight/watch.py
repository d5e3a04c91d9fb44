"""Watching a network run without leaving a trace in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn

# What is told of each module that has run: path, module, what it was given, what it made.
Seen = Callable[[str, nn.Module, tuple[object, ...], object], None]


@contextmanager
def watched(model: nn.Module, seen: Seen) -> Iterator[None]:
    """Evaluation mode with a hook on every module; both undone on leaving, also by an error."""
    modes = [(module, module.training) for module in model.modules()]
    handles = [
        module.register_forward_hook(partial(seen, path)) for path, module in model.named_modules()
    ]
    model.eval()
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode


def is_leaf(module: nn.Module) -> bool:
    """Whether a module has no modules of its own."""
    return not any(True for _ in module.children())
