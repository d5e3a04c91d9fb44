"""Operations in a few words: ``conv 3×3, 64 → 128, stride 2``."""

from collections.abc import Callable, Iterable
from typing import Any

from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm
from convatlas.graph.operation import Operation, shown
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace, Softmax
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import Attention, Dense, Distance, Einsum
from convatlas.graph.rearrange import Reduce, Resize
from convatlas.graph.source import Constant, Input, Unknown
from convatlas.graph.unfold import Fold, Unfold


def describe(operation: Operation) -> str:
    """What an operation is, with what is not as usual."""
    words = WORDS.get(type(operation))
    return words(operation) if words else _plain(type(operation).__name__)


def _conv(conv: Conv) -> str:
    kind = "depthwise conv" if 1 < conv.groups == conv.c_in else "conv"
    return _listed(
        f"{kind} {shown(conv.kernel)}",
        f"{conv.c_in} → {conv.c_out}",
        _unless(conv.stride, 1, "stride"),
        _padding(conv.padding),
        _unless(conv.dilation, 1, "dilation"),
        f"groups {conv.groups}" if 1 < conv.groups != conv.c_in else "",
        f"{conv.links} links" if conv.links is not None else "",
    )


def _conv_transposed(conv: ConvTransposed) -> str:
    return _listed(
        f"transposed conv {shown(conv.kernel)}",
        f"{conv.c_in} → {conv.c_out}",
        _unless(conv.stride, 1, "stride"),
        _unless(conv.padding, 0, "padding"),
        _unless(conv.output_padding, 0, "output padding"),
        _unless(conv.dilation, 1, "dilation"),
        f"groups {conv.groups}" if conv.groups > 1 else "",
    )


def _pool(pool: Pool) -> str:
    return _listed(
        f"{pool.how} pool {shown(pool.kernel)}",
        _unless(pool.stride, 1, "stride"),
        _padding(pool.padding),
        _unless(pool.dilation, 1, "dilation"),
        "rounding up" if pool.ceil else "",
    )


def _adaptive(pool: AdaptivePool) -> str:
    if all(size == 1 for size in pool.size):
        return f"global {pool.how} pool"
    return f"adaptive {pool.how} pool to {shown(size or 0 for size in pool.size)}"


def _dense(dense: Dense) -> str:
    return f"dense {dense.c_in:,} → {dense.c_out:,}"


def _norm(norm: BatchNorm | LayerNorm | GroupNorm) -> str:
    name = _plain(type(norm).__name__)
    if isinstance(norm, GroupNorm):
        name = "instance norm" if norm.groups == norm.features else f"{name}, {norm.groups} groups"
    return name


def _response(norm: ResponseNorm) -> str:
    return f"response norm over {norm.size}"


def _activation(activation: Activation) -> str:
    return activation.function.replace("_", " ")


def _dropout(dropout: Dropout) -> str:
    return f"dropout {dropout.p:g}{' of maps' if dropout.maps else ''}"


def _arithmetic(arithmetic: Arithmetic) -> str:
    constant = "" if arithmetic.constant is None else f" {arithmetic.constant:g}"
    return f"{arithmetic.function.replace('_', ' ')}{constant}"


def _reduce(reduce: Reduce) -> str:
    return f"{reduce.function} over {', '.join(map(str, reduce.axes))}"


def _resize(resize: Resize) -> str:
    by = f" ×{shown_factors(resize.factors)}" if resize.factors else ""
    return f"{resize.mode} resize{by}"


def shown_factors(factors: Iterable[float]) -> str:
    """One number if all are alike."""
    each = [f"{factor:g}" for factor in factors]
    return each[0] if len(set(each)) == 1 else "×".join(each)


def _plain(name: str) -> str:
    """BatchNorm as ``batch norm``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _unless(values: tuple[int, ...], usual: int, word: str) -> str:
    if all(value == usual for value in values):
        return ""
    return f"{word} {values[0] if len(set(values)) == 1 else shown(values)}"


def _padding(padding: tuple[tuple[int, int], ...]) -> str:
    """``padding 1``, ``padding 0×3``, or before+after where they differ."""
    if any(before != after for before, after in padding):
        return f"padding {'×'.join(f'{before}+{after}' for before, after in padding)}"
    return _unless(tuple(before for before, _ in padding), 0, "padding")


def _folding(operation: Unfold | Fold) -> str:
    return _listed(
        f"{type(operation).__name__.lower()} {shown(operation.kernel)}",
        _unless(operation.stride, 1, "stride"),
        _padding(operation.padding),
        _unless(operation.dilation, 1, "dilation"),
    )


WORDS: dict[type, Callable[[Any], str]] = {
    Conv: _conv,
    ConvTransposed: _conv_transposed,
    Pool: _pool,
    AdaptivePool: _adaptive,
    SubSampling: lambda sampling: f"sub-sampling {shown(sampling.kernel)}",
    Dense: _dense,
    Distance: lambda distance: f"radial basis {distance.c_in} → {distance.c_out}",
    Einsum: lambda einsum: f"einsum {einsum.equation}",
    Attention: lambda attention: _listed(
        "attention", f"{attention.heads} heads" if attention.heads > 1 else ""
    ),
    BatchNorm: _norm,
    LayerNorm: _norm,
    GroupNorm: _norm,
    ResponseNorm: _response,
    Activation: _activation,
    Softmax: lambda softmax: "log softmax" if softmax.log else "softmax",
    Dropout: _dropout,
    Arithmetic: _arithmetic,
    Replace: lambda _replace: "write into",
    Reduce: _reduce,
    Resize: _resize,
    Unfold: _folding,
    Fold: _folding,
    Input: lambda _input: "input",
    Constant: lambda _constant: "constant",
    Unknown: lambda unknown: f"unknown: {unknown.function}",
}
