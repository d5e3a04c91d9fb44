"""One call of one of torch's functions by a network: a node, a plain answer, or smaller pieces."""

from typing import Any

import torch
from torch import Tensor

from convatlas.capture.arguments import Handler
from convatlas.capture.dim import bare
from convatlas.capture.functions import (
    conv,
    norm,
    pointwise,
    pool,
    product,
    rearrange,
    recurrent,
    reduce,
    source,
)
from convatlas.capture.traced import Traced, flat
from convatlas.capture.tracer import NeedsValues, Tracer
from convatlas.capture.whereabouts import line_now

HANDLERS: dict[object, Handler] = {
    **pointwise.HANDLERS,
    **rearrange.HANDLERS,
    **reduce.HANDLERS,
    **source.HANDLERS,
    **source.FILLERS,
    **pool.HANDLERS,
    **norm.HANDLERS,
    **product.HANDLERS,
    **recurrent.HANDLERS,
    **conv.HANDLERS,
}
# Questions that only values answer.
VALUES = {
    *(Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.item),
    *(Tensor.tolist, Tensor.numpy, Tensor.__array__, torch.equal, torch.allclose, Tensor.equal),
    *(Tensor.allclose, torch.nonzero, Tensor.nonzero, torch.is_nonzero, torch.unique),
    *(Tensor.__contains__, Tensor.unique, torch.masked_select, Tensor.masked_select),
    *(Tensor.__complex__, Tensor.__format__, torch.argwhere, Tensor.argwhere),
}
# Questions that a stand-in answers by itself, being a tensor without storage.
PLAIN = {
    *(Tensor.dim, Tensor.size, Tensor.numel, Tensor.stride, Tensor.is_contiguous, Tensor.__len__),
    *(Tensor.is_floating_point, Tensor.element_size, Tensor.get_device, Tensor.is_complex),
    *(Tensor.requires_grad_, Tensor.__hash__, Tensor.data_ptr, Tensor.ndimension, Tensor.nelement),
    *(torch.is_floating_point, torch.is_complex, torch.numel, Tensor.__repr__, Tensor.is_shared),
    *(torch.is_tensor, Tensor.storage_offset, Tensor.retain_grad, Tensor.register_hook),
    *(torch.result_type, torch.is_same_size, Tensor.is_same_size, Tensor.__deepcopy__),
}
DATA: Any = Tensor.data
# Functions that hand on their first argument.
SAME = {
    *(Tensor.cuda, Tensor.cpu, Tensor.detach, torch.detach, Tensor.detach_, DATA.__get__),
    *(Tensor.resolve_conj, torch.resolve_conj, Tensor.resolve_neg, torch.resolve_neg),
    *(Tensor.positive, torch.positive, Tensor.__pos__, Tensor.pin_memory),
}
WRITING = {
    *("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__idiv__", "__ipow__"),
    *("__iand__", "__ior__", "__ixor__", "__ifloordiv__", "__imod__", "__set__"),
}


def called(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One call: a node if it concerns a stand-in or a parameter, else the call itself."""
    if func in PLAIN:
        return func(*args, **kwargs)
    if not tracer.concerns(args) and not (kwargs and tracer.concerns(tuple(kwargs.values()))):
        return _apart(tracer, func, args, kwargs)
    handler = HANDLERS.get(func)
    if handler is not None:
        made = handler(tracer, *args, **kwargs)
        if made is not NotImplemented:
            if tracer.values:
                tracer.values.follow(func, args, kwargs, made)
            return made
    if func in SAME:
        return args[0]
    if func in VALUES:
        return _by_value(tracer, func, args, kwargs)
    name = getattr(func, "__name__", "")
    if name == "__get__":
        return func(*args, **kwargs)
    if name == "__set__":
        return _attribute(tracer, func, *args)
    return _in_pieces(tracer, func, args, kwargs)


def _apart(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call on constants: done as it is, unless it would change the network or fill a shape."""
    target = kwargs.get("out", args[0] if args and _writes(func) else None)
    if isinstance(target, Tensor) and tracer.owns(target):
        return target  # a counter, say: the network is not touched
    filler = source.FILLERS.get(func)
    if filler is not None:
        made = filler(tracer, *args, **kwargs)
        if made is not NotImplemented:
            if tracer.values:
                tracer.values.follow(func, args, kwargs, made)
            return made
    for value in flat((args, kwargs)):
        bare(value)  # a size that goes into a function unseen holds the graph to it
    return func(*args, **kwargs)


def _writes(func: Any) -> bool:
    """Whether a function changes its first argument."""
    name = getattr(func, "__name__", "")
    return name in WRITING or (name.endswith("_") and not name.endswith("__"))


def _attribute(tracer: Tracer, func: Any, target: Tensor, value: Any) -> None:
    """``x.data = value`` and other attributes set: never on what the network owns."""
    if func == DATA.__set__:
        tracer.moved(target, tracer.stand_in(value))


def _by_value(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = getattr(func, "__name__", str(func))
    if not tracer.values:
        raise NeedsValues(f"{name} asks for values", tracer.path())
    where = f"{tracer.path() or 'forward'} ({line_now()})"
    tracer.noted(f"{name} asked for values in {where}: captured as taken")
    made = tracer.values.computed(func, args, kwargs)
    return _stood_in(tracer, made, every=True)


def _in_pieces(tracer: Tracer, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function falls apart into torch's own operators, which take no sizes with an origin."""
    for value in flat((args, kwargs)):
        bare(value)
    given = {key: _stood_in(tracer, value) for key, value in kwargs.items()}
    target = given.pop("out", None)
    made = func(*_stood_in(tracer, args), **given)
    if isinstance(target, Tensor) and isinstance(made, Traced):
        return tracer.moved(target, made)
    if args and isinstance(args[0], Tensor) and _writes(func) and isinstance(made, Traced):
        return tracer.moved(args[0], made)
    return made


def _stood_in(tracer: Tracer, values: Any, *, every: bool = False) -> Any:
    """Parameters (or ``every`` tensor) replaced by stand-ins; nothing is computed with them."""
    if isinstance(values, Tensor):
        return tracer.stand_in(values) if every or tracer.concerns((values,)) else values
    if isinstance(values, list | tuple) and not isinstance(values, torch.Size):
        return type(values)([_stood_in(tracer, value, every=every) for value in values])
    return values
