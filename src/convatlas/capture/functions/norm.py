"""Normalisation as torch calls it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler
from convatlas.capture.traced import Traced, lengths
from convatlas.capture.tracer import Tracer
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm


def batch_norm(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Traced:
    """F.batch_norm."""
    operation = BatchNorm(
        features=maps_of(input, weight, running_mean),
        eps=eps,
        momentum=momentum,
        affine=weight is not None,
        training=training or running_mean is None,
    )
    return tracer.record(operation, [input], parameters=[weight, bias, running_mean, running_var])


def layer_norm(
    tracer: Tracer,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Traced:
    """F.layer_norm."""
    over = tuple(map(int, normalized_shape))
    operation = LayerNorm(over=over, eps=eps, affine=weight is not None)
    return tracer.record(operation, [input], parameters=[weight, bias])


def group_norm(
    tracer: Tracer,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Traced:
    """F.group_norm."""
    operation = GroupNorm(
        features=maps_of(input, weight), groups=num_groups, eps=eps, affine=weight is not None
    )
    return tracer.record(operation, [input], parameters=[weight, bias])


def instance_norm(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Traced:
    """F.instance_norm: each map its own group, unless it goes by running statistics."""
    maps = maps_of(input, weight, running_mean)
    affine = weight is not None
    owned = [weight, bias, running_mean, running_var]
    if use_input_stats:
        operation = GroupNorm(features=maps, groups=maps, eps=eps, affine=affine)
        return tracer.record(operation, [input], parameters=owned)
    still = BatchNorm(features=maps, eps=eps, momentum=momentum, affine=affine)
    return tracer.record(still, [input], parameters=owned)


def maps_of(input: Tensor, *owned: Tensor | None) -> int:
    """How many maps: what the layer's own tensors say, or else the input."""
    for tensor in owned:
        if tensor is not None:
            return lengths(tensor)[0]
    return int(input.shape[1])


def rms_norm(
    tracer: Tracer,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Traced:
    """F.rms_norm: as layer normalisation, the mean left where it is."""
    over = tuple(map(int, normalized_shape))
    least = torch.finfo(input.dtype).eps if eps is None else eps
    operation = LayerNorm(over=over, eps=least, affine=weight is not None, centred=False)
    return tracer.record(operation, [input], parameters=[weight])


def local_response_norm(
    tracer: Tracer,
    input: Tensor,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
) -> Traced:
    """F.local_response_norm."""
    return tracer.record(ResponseNorm(size=size, alpha=alpha, beta=beta, k=k), [input])


HANDLERS: dict[object, Handler] = {
    F.batch_norm: batch_norm,
    **dict.fromkeys((F.layer_norm, torch.layer_norm), layer_norm),
    **dict.fromkeys((F.rms_norm, torch.rms_norm), rms_norm),
    **dict.fromkeys((F.group_norm, torch.group_norm), group_norm),
    F.instance_norm: instance_norm,
    F.local_response_norm: local_response_norm,
}
