"""Operations that torch's ONNX exporter gets wrong or cannot say, as others that are equal.

It leaves out the divisor of an average pool (LeNet-5 sums, it would average), and it fixes an
adaptive pool to the size of the example.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.export import ExportedProgram
from torch.fx import Node

from convatlas.errors import UserError


def rewritten(program: ExportedProgram) -> ExportedProgram:
    """The same program without these operations; `UserError` for one that has no ONNX form."""
    if not any(_concerned(node) for node in program.graph_module.graph.nodes):
        return program  # a pass over free sizes costs resnet110-cifar 6 s of 16
    aten = torch.ops.aten
    return program.run_decompositions(
        {
            aten.avg_pool2d.default: average_pool,
            aten.adaptive_avg_pool2d.default: adaptive_average_pool,
        }
    )


def _concerned(node: Node) -> bool:
    if node.target is torch.ops.aten.avg_pool2d.default:
        return len(node.args) > 6 and node.args[6] is not None
    if node.target is torch.ops.aten.adaptive_avg_pool2d.default:
        return node.args[1] != [1, 1]
    return False


def average_pool(
    x: Tensor,
    kernel: Sequence[int],
    stride: Sequence[int] = (),
    padding: Sequence[int] = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """A pool with a divisor of its own is a plain one and a factor.

    Not where it pads without counting or rounds up: its windows then hold unequal numbers.
    """
    if divisor_override is None:
        return NotImplemented
    if ceil_mode or (any(padding) and not count_include_pad):
        raise UserError("an average pool that has a divisor and uneven windows has no ONNX form")
    pooled = F.avg_pool2d(x, list(kernel), list(stride) or None, list(padding))
    return pooled * (kernel[0] * kernel[-1] / divisor_override)


def adaptive_average_pool(x: Tensor, size: Sequence[int]) -> Any:
    """Two matrix products, whose matrices are made from the size of the input.

    Cell i of n averages from floor(i h / n) to ceil((i + 1) h / n), as torch documents it.
    """
    if tuple(size) == (1, 1):
        return NotImplemented  # the exporter's own form, a mean, is right at every size
    height, width = x.shape[-2:]
    return _averages(height, size[0], x) @ x @ _averages(width, size[-1], x).T


def _averages(length: int, cells: int, like: Tensor) -> Tensor:
    """The matrix (cells, length) whose rows average over a cell each."""
    cell = torch.arange(cells, device=like.device)[:, None]
    start = torch.div(cell * length, cells, rounding_mode="floor")
    end = torch.div((cell + 1) * length + cells - 1, cells, rounding_mode="floor")
    place = torch.arange(length, device=like.device)[None]
    inside = ((place >= start) & (place < end)).to(like.dtype)
    return inside / (end - start).to(like.dtype)
