"""What is written down for each of torch's functions."""

from typing import Any

import torch
from torch import Tensor

from convatlas.capture.arguments import Handler
from convatlas.capture.functions import conv, norm, pointwise, pool, product, rearrange, source
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import NeedsValues, Tracer

HANDLERS: dict[object, Handler] = {
    **pointwise.HANDLERS,
    **rearrange.HANDLERS,
    **source.HANDLERS,
    **pool.HANDLERS,
    **norm.HANDLERS,
    **product.HANDLERS,
    **conv.HANDLERS,
}
# Questions that only values answer.
VALUES = {
    *(Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.item),
    *(Tensor.tolist, Tensor.numpy, Tensor.__array__, torch.equal, torch.allclose, Tensor.equal),
    *(Tensor.allclose, torch.nonzero, Tensor.nonzero, torch.is_nonzero, torch.unique),
    *(Tensor.__contains__, Tensor.unique, torch.masked_select, Tensor.masked_select),
}
# Questions that a stand-in answers by itself, being a tensor without storage.
PLAIN = {
    *(Tensor.dim, Tensor.size, Tensor.numel, Tensor.stride, Tensor.is_contiguous, Tensor.__len__),
    *(Tensor.is_floating_point, Tensor.element_size, Tensor.get_device, Tensor.is_complex),
    *(Tensor.requires_grad_, Tensor.__hash__, Tensor.data_ptr, Tensor.ndimension, Tensor.nelement),
    *(torch.is_floating_point, torch.is_complex, torch.numel, Tensor.__repr__, Tensor.is_shared),
    *(torch.is_tensor, Tensor.storage_offset, Tensor.retain_grad, Tensor.register_hook),
}
NOTHING = {Tensor.cuda, Tensor.cpu, Tensor.detach, torch.detach, Tensor.detach_}


def called(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call: a node if it concerns a stand-in or a parameter, else the call itself."""
    if func in PLAIN:
        return func(*args, **kwargs)
    handler = HANDLERS.get(func)
    if not _concerns(tracer, args) and not _concerns(tracer, tuple(kwargs.values())):
        return _apart(tracer, func, handler, args, kwargs)
    if handler is not None:
        made = handler(tracer, *args, **kwargs)
        if made is not NotImplemented:
            return made
    if func in NOTHING:
        return args[0]
    if func in VALUES:
        return _by_value(tracer, func, args, kwargs)
    if getattr(func, "__name__", "") == "__get__":
        return func(*args, **kwargs)
    return func(*_stood_in(tracer, args), **kwargs)  # falls apart into torch's own operators


def _apart(
    tracer: Tracer,
    func: Any,
    handler: Handler | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """A call on constants: done as it is, unless it would change the network or fill a shape."""
    name = getattr(func, "__name__", "")
    if args and isinstance(args[0], Tensor) and tracer.owns(args[0]):
        if name.endswith("_") and not name.startswith("__"):
            return args[0]  # a counter, say: the network is not touched
    if handler is not None and handler.__module__ == source.__name__ and func not in ITEMS:
        made = handler(tracer, *args, **kwargs)
        if made is not NotImplemented:
            return made
    return func(*args, **kwargs)


ITEMS = {Tensor.__getitem__}


def _concerns(tracer: Tracer, values: tuple[Any, ...] | list[Any]) -> bool:
    """Whether a stand-in or a trained tensor of the network is among the arguments."""
    for value in values:
        if isinstance(value, Traced):
            return True
        if isinstance(value, Tensor):
            if value.requires_grad and tracer.owns(value):
                return True
        elif isinstance(value, list | tuple) and _concerns(tracer, value):
            return True
    return False


def _by_value(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = getattr(func, "__name__", str(func))
    if not tracer.values:
        raise NeedsValues(f"{name} asks for values", tracer.path())
    tracer.noted(f"{name} asked for values in {tracer.path() or 'forward'}: captured as taken")
    made = func(*tracer.real(args), **kwargs)
    return tracer.stand_in(made) if isinstance(made, Tensor) else made


def _stood_in(tracer: Tracer, values: Any) -> Any:
    """Parameters replaced by stand-ins, so that nothing is computed with them."""
    if isinstance(values, Tensor) and not isinstance(values, Traced) and tracer.owns(values):
        return tracer.stand_in(values)
    if isinstance(values, list | tuple) and not isinstance(values, torch.Size):
        return type(values)([_stood_in(tracer, value) for value in values])
    return values


__all__ = ["NeedsValues", "called"]
