"""Sums, means, maxima and norms as torch calls them."""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, forms, positive
from convatlas.capture.functions.rearrange import expand_as
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Tracer
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.rearrange import Reduce

WHOLE = ("argmax", "argmin")  # make positions
TRUTHS = ("any", "all")
PAIRED = ("max", "min", "median", "mode", "nanmedian")  # with the places, along one axis
COUNTED = ("sum", "prod", "nansum", "count_nonzero")  # of whole numbers they make int64


def reduce(
    function: str,
    tracer: Tracer,
    input: Tensor,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
    axis: Any = None,
    **_: Any,
) -> Any:
    """Over axes, or over all of them."""
    if isinstance(dim, Tensor):
        return NotImplemented  # torch.max(a, b) compares two
    dim = axis if dim is None else dim
    axes = positive(range(input.dim()) if dim is None or dim == () else dim, input.dim())
    operation = Reduce(function=function, axes=axes, keep=keepdim)
    made = tracer.record(operation, [input], dtype=dtype or result_type(function, input.dtype))
    if function in PAIRED and dim is not None:
        pair = getattr(torch.return_types, function)
        return pair((made, tracer.beside(made, torch.int64)))
    return made


def result_type(function: str, given: torch.dtype) -> torch.dtype:
    """What a reduction makes of a kind of numbers."""
    if function in WHOLE:
        return torch.int64
    if function in TRUTHS:
        return torch.bool
    if function in COUNTED and not given.is_floating_point and not given.is_complex:
        return torch.int64
    return given


def spread(
    function: str,
    tracer: Tracer,
    input: Tensor,
    dim: Any = None,
    unbiased: Any = True,
    keepdim: bool = False,
    **_: Any,
) -> Any:
    """Tensor.var and std, whose second argument may be ``unbiased``."""
    axes = None if isinstance(dim, bool) else dim
    return reduce(function, tracer, input, axes, keepdim)


def spread_and_mean(
    function: str, tracer: Tracer, input: Tensor, dim: Any = None, *rest: Any, **more: Any
) -> tuple[Traced, Traced]:
    """torch.var_mean, std_mean."""
    made = spread(function, tracer, input, dim, *rest, **more)
    return made, spread("mean", tracer, input, dim, *rest, **more)


def norm(
    tracer: Tracer, input: Tensor, p: Any = 2, dim: Any = None, keepdim: bool = False, **more: Any
) -> Any:
    """torch.norm, torch.linalg.vector_norm: the order comes before the axes."""
    return reduce("norm", tracer, input, dim, keepdim, **more)


def normalize(
    tracer: Tracer,
    input: Tensor,
    p: float = 2.0,
    dim: int = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Traced:
    """F.normalize: a quotient by the norm along an axis, kept from being nothing; as torch does."""
    length = norm(tracer, input, p, dim, keepdim=True)
    least = tracer.record(Arithmetic(function="clamp_min", constant=eps), [length])
    made = tracer.record(Arithmetic(function="div"), [input, expand_as(tracer, least, input)])
    if out is not None:
        tracer.moved(out, made)
    return made


def weight_norm(tracer: Tracer, v: Tensor, g: Tensor, dim: int = 0) -> Traced:
    """torch._weight_norm: a direction with a length of its own."""
    axes = [axis for axis in range(v.dim()) if axis != dim % v.dim()]
    length = norm(tracer, v, 2, axes, keepdim=True)
    unit = tracer.record(Arithmetic(function="div"), [v, length])
    return tracer.record(Arithmetic(function="mul"), [unit, g])


NAMES = (
    *("sum", "mean", "amax", "amin", "max", "min", "median", "prod", "argmax", "argmin", "any"),
    *("all", "logsumexp", "nansum", "nanmean", "count_nonzero", "mode", "nanmedian"),
)
HANDLERS: dict[object, Handler] = {
    **{form: partial(reduce, name) for name in NAMES for form in forms(name)},
    **{form: partial(spread, name) for name in ("var", "std") for form in forms(name)},
    torch.var_mean: partial(spread_and_mean, "var"),
    torch.std_mean: partial(spread_and_mean, "std"),
    **dict.fromkeys((*forms("norm"), torch.linalg.vector_norm, torch.linalg.norm), norm),
    F.normalize: normalize,
    torch._weight_norm: weight_norm,
}
