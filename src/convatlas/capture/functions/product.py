"""Dense layers, matrix products and attention as torch calls them."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler
from convatlas.capture.traced import Traced, lengths
from convatlas.capture.tracer import Tracer
from convatlas.graph.pointwise import Arithmetic
from convatlas.graph.product import Attention, AttentionWeights, Dense, Einsum, MatrixProduct
from convatlas.graph.rearrange import Slice, Squeeze


def linear(tracer: Tracer, input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Traced:
    """F.linear."""
    *rows, c_in = lengths(weight)
    operation = Dense(c_in=c_in, c_out=rows[0] if rows else 1, bias=bias is not None)
    made = tracer.record(operation, [input], parameters=[weight, bias])
    if rows:
        return made
    return tracer.record(Squeeze(axes=(-1,)), [made], alias=True)  # a weight of one axis


def matmul(tracer: Tracer, input: Tensor, other: Tensor) -> Traced:
    """``input @ other``."""
    return tracer.record(MatrixProduct(), [input, other])


def reversed_matmul(tracer: Tracer, input: Tensor, other: Tensor) -> Traced:
    """``other @ input``."""
    return tracer.record(MatrixProduct(), [other, input])


def product_and_sum(
    tracer: Tracer,
    input: Tensor,
    one: Tensor,
    two: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Traced:
    """torch.addmm, torch.baddbmm."""
    made = tracer.record(MatrixProduct(), [one, two])
    return tracer.record(Arithmetic(function="add"), [made, input])


def einsum(tracer: Tracer, equation: Any, *operands: Any) -> Any:
    """torch.einsum of one or two operands; more are left to torch, which goes pair by pair."""
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not isinstance(equation, str) or len(operands) > 2:
        return NotImplemented
    full = spelled(equation.replace(" ", ""), [operand.dim() for operand in operands])
    return tracer.record(Einsum(equation=full), operands)


def spelled(equation: str, dims: list[int]) -> str:
    """The equation with its result and all letters behind an ellipsis written out."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    spare = [letter for letter in "ZYXWVUTSRQPONMLKJIHGFEDCBA" if letter not in equation]
    hidden = max(
        (dim - len(term.replace("...", "")) for term, dim in zip(terms, dims, strict=True)),
        default=0,
    )
    names = "".join(spare[:hidden])

    def written(term: str, dim: int) -> str:
        count = dim - len(term.replace("...", ""))
        return term.replace("...", names[hidden - count :])

    full = [written(term, dim) for term, dim in zip(terms, dims, strict=True)]
    letters = "".join(full)
    if not arrow:
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        right = names * ("..." in left) + "".join(a for a in once if a not in names)
    return f"{','.join(full)}->{right.replace('...', names)}"


def bilinear(
    tracer: Tracer,
    input1: Tensor,
    input2: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> Traced:
    """F.bilinear: the first input through the weight, then its product with the second."""
    lead = "ZYXWVUTS"[: input1.dim() - 1]
    made = tracer.record(Einsum(f"{lead}i,oij->{lead}oj"), [input1, weight])
    made = tracer.record(Einsum(f"{lead}oj,{lead}j->{lead}o"), [made, input2])
    if bias is None:
        return made
    return tracer.record(Arithmetic(function="add"), [made], parameters=[bias])


def attention(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Traced:
    """F.scaled_dot_product_attention, whatever kernel it would take; a causal half is not saved."""
    masks = [] if attn_mask is None else [attn_mask]
    return tracer.record(Attention(), [query, key, value, *masks])


def multi_head(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """nn.MultiheadAttention's function in its usual form; the rare ones are left to torch."""
    unusual = (bias_k, bias_v, static_k, static_v, add_zero_attn or None)
    if in_proj_weight is None or any(given is not None for given in unusual):
        return NotImplemented
    width = embed_dim_to_check
    if query is key and key is value:
        joint = linear(tracer, query, in_proj_weight, in_proj_bias)
        parts = [
            tracer.record(Slice(axis=-1, start=at, stop=at + width), [joint], alias=True)
            for at in (0, width, 2 * width)
        ]
    else:
        operation = Dense(c_in=width, c_out=width, bias=in_proj_bias is not None)
        owned = [in_proj_weight, in_proj_bias]
        parts = [tracer.record(operation, [x], parameters=owned) for x in (query, key, value)]
    masks = [mask for mask in (attn_mask,) if mask is not None]
    mixed = tracer.record(Attention(heads=num_heads, first=True), [*parts, *masks])
    made = linear(tracer, mixed, out_proj_weight, out_proj_bias)
    if not need_weights:
        return made, None
    weights = AttentionWeights(heads=num_heads, average=average_attn_weights)
    return made, tracer.record(weights, parts[:2])


HANDLERS: dict[object, Handler] = {
    F.linear: linear,
    F.bilinear: bilinear,
    torch.bilinear: bilinear,
    **dict.fromkeys((torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm, Tensor.mm), matmul),
    **dict.fromkeys(
        (
            torch.bmm,
            Tensor.bmm,
            torch.mv,
            Tensor.mv,
            torch.dot,
            Tensor.dot,
            torch.vdot,
            Tensor.vdot,
        ),
        matmul,
    ),
    Tensor.__rmatmul__: reversed_matmul,
    **dict.fromkeys(
        (torch.addmm, Tensor.addmm, torch.baddbmm, Tensor.baddbmm, torch.addmv), product_and_sum
    ),
    torch.einsum: einsum,
    F.scaled_dot_product_attention: attention,
    F.multi_head_attention_forward: multi_head,
}
