"""What stands around a convolution in a functional aten graph and can be done in its stroke."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from operator import getitem
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

aten = torch.ops.aten
NORM = aten._native_batch_norm_legit_no_training.default

CURVES: dict[Any, str] = {
    aten.relu.default: "relu",
    aten.gelu.default: "gelu",
    aten.sigmoid.default: "sigmoid",
}


@dataclass(frozen=True, slots=True)
class Window:
    """A kernel's window, as the kernel takes it."""

    rows: int
    columns: int
    stride: int
    top: int
    left: int
    dilation: int

    def numbers(self) -> list[int]:
        """In the kernel's order."""
        return [self.rows, self.columns, self.stride, self.top, self.left, self.dilation]


POINT = Window(1, 1, 1, 0, 0, 1)


@dataclass(frozen=True, slots=True)
class Before:
    """The maps a convolution reads as if concatenated, the norm and the ReLU between."""

    maps: tuple[Node, ...]
    norm: Node | None
    relu: bool


@dataclass(frozen=True, slots=True)
class After:
    """The last operation done in the stroke, the norm, the map that is added, and the curve."""

    last: Node
    norm: Node | None
    other: Node | None
    curve: str


def window_of(node: Node) -> Window | None:
    """The window of a convolution the kernel can do, or ``None``."""
    if node.target is not aten.conv2d.default:
        return None
    defaults: tuple[Any, ...] = (None, [1, 1], [0, 0], [1, 1], 1)
    x, weight, *options = given(node)
    _, stride, padding, dilation, groups = *options, *defaults[len(options) :]
    if groups != 1 or not is_plain(x) or not constants(node.args[1:3]):
        return None
    if stride[0] != stride[-1] or dilation[0] != dilation[-1]:
        return None
    rows, columns = shape_of(weight)[2:]
    return Window(rows, columns, stride[0], padding[0], padding[-1], dilation[0])


def is_linear(node: Node) -> bool:
    """Whether an operation is a linear layer of float32 whose weights are known.

    Torch also takes a bias of one number for all outputs, or of some for each row.
    """
    if node.target is not aten.linear.default:
        return False
    x, weights, bias = (*given(node), None)[:3]
    one_for_each = bias is None or shape_of(bias) == shape_of(weights)[:1]
    return is_float(x) and constants((weights, bias)) and one_for_each


def before(x: Node) -> Before:
    """What can be done while the input of a convolution is read."""
    at, relu = x, False
    norm: Node | None = None
    if is_relu(at) and len(at.users) == 1:
        at, relu = given(at)[0], True
    if _is_normed(at) and len(at.users) == 1:
        norm = given(at)[0]
        at = given(norm)[0]
    return Before(parts(at) if _read_in_parts(at) else (at,), norm, relu)


def after(node: Node) -> After:
    """What can be done to the sums before they are stored."""
    last, norm, other = node, None, None
    user = only_user(last)
    if user is not None and _is_norm(user) and given(user)[0] is last:
        taken = only_user(user)
        if taken is not None and given(taken)[1] == 0:
            norm, last = user, taken
    user = only_user(last)
    if user is not None and is_plain(last) and (more := added(user, last)):
        other, last = more, user
    last, curve = curved(last)
    return After(last, norm, other, curve)


def given(node: Node) -> tuple[Any, ...]:
    """An operation's arguments; torch's type for them is a union of all there can be."""
    return node.args


def operation(node: Node) -> str | None:
    """The operation of the kernel, whichever it is, that a node calls."""
    space, _, name = str(node.target).partition(".")
    return name.removesuffix(".default") if space.startswith("convatlas_") else None


def only_user(node: Node) -> Node | None:
    """The single operation that reads a value, or ``None``."""
    return next(iter(node.users)) if len(node.users) == 1 else None


def is_relu(node: Node) -> bool:
    """Whether an operation is a ReLU."""
    return node.target is aten.relu.default


def shape_of(node: Any) -> tuple[int, ...]:
    """The shape found while exporting."""
    return tuple(node.meta["val"].shape)


def tensor_of(module: GraphModule, node: Any) -> Tensor:
    """A constant of the graph."""
    found: Any = module
    for part in str(node.target).split("."):
        found = getattr(found, part)
    assert isinstance(found, Tensor)
    return found.detach()


def affine(module: GraphModule, norm: Node) -> tuple[Tensor, Tensor]:
    """A batch norm as scale and shift of each channel, in double precision."""
    weight, bias, mean, variance = (
        None if each is None else tensor_of(module, each).double() for each in given(norm)[1:5]
    )
    assert mean is not None
    assert variance is not None
    scale = (variance + given(norm)[6]).rsqrt()
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale
    return scale, shift if bias is None else shift + bias


def pixels_of(node: Any) -> int:
    """How many rows a linear layer multiplies."""
    return math.prod(shape_of(node)[:-1])


def constants(nodes: Iterable[Any]) -> bool:
    """Whether all that is given (``None`` is not) are tensors known before the network runs."""
    return all(node is None or is_constant(node) for node in nodes)


def is_constant(node: Any) -> bool:
    """Whether a value is a float32 tensor known before the network runs."""
    return isinstance(node, Node) and node.op == "get_attr" and is_float(node)


def is_float(node: Any) -> bool:
    """Whether a value is a float32 tensor."""
    return node.meta["val"].dtype is torch.float32


def is_plain(node: Any) -> bool:
    """Whether a value is a batch of float32 maps."""
    return is_float(node) and len(shape_of(node)) == 4


def _is_normed(node: Node) -> bool:
    """Whether a value is what a norm makes."""
    return node.target is getitem and given(node)[1] == 0 and _is_norm(given(node)[0])


def _is_norm(node: Node) -> bool:
    """Whether an operation is a batch norm of maps whose figures are known."""
    return node.target is NORM and is_plain(given(node)[0]) and constants(given(node)[1:5])


def joins_channels(node: Node) -> bool:
    """Whether an operation concatenates maps."""
    return node.target is aten.cat.default and given(node)[1:] in ((1,), (-3,)) and is_plain(node)


def parts(node: Node) -> tuple[Node, ...]:
    """The maps in a concatenation, those in its parts included; else the map itself."""
    if not joins_channels(node):
        return (node,)
    return tuple(part for each in given(node)[0] for part in parts(each))


def _read_in_parts(node: Node) -> bool:
    """Whether all that read a concatenation can read its parts instead."""
    return joins_channels(node) and all(
        window_of(user) or user.target is NORM or _read_in_parts(user) for user in node.users
    )


def added(node: Node, value: Node) -> Node | None:
    """What an addition adds to a value of the same shape, or ``None``."""
    if node.target is not aten.add.Tensor or node.kwargs or len(given(node)) != 2:
        return None
    other = given(node)[1] if given(node)[0] is value else given(node)[0]
    if not isinstance(other, Node) or other is value or shape_of(other) != shape_of(value):
        return None
    return other if is_float(other) else None


def summed(node: Node) -> After:
    """What can be done to maps that a number for each channel is multiplied with."""
    user = only_user(node)
    other = None if user is None else added(user, node)
    last, curve = curved(user if user is not None and other else node)
    return After(last, None, other, curve)


def gated(node: Node) -> tuple[Node, Node] | None:
    """The maps and the number for each of their channels that an operation multiplies."""
    if node.target is not aten.mul.Tensor or not all(isinstance(each, Node) for each in node.args):
        return None
    x, factors = sorted(given(node), key=lambda each: -math.prod(shape_of(each)))
    if not is_plain(x) or not is_plain(factors) or math.prod(shape_of(x)[2:]) == 1:
        return None
    return (x, factors) if shape_of(factors) == (*shape_of(x)[:2], 1, 1) else None


def is_pool(node: Node) -> bool:
    """Whether an operation is the mean over whole maps, kept as maps of one pixel."""
    if node.target is not aten.adaptive_avg_pool2d.default:
        return False
    return is_plain(node) and list(given(node)[1]) == [1, 1]


def layer_affine(module: GraphModule, norm: Node) -> tuple[Tensor, Tensor, float]:
    """A layer norm's gain and shift for each channel, and what keeps it from dividing by zero."""
    _, (width,), *options = given(norm)
    gain, shift, eps = (*options, *(None, None, 1e-5)[len(options) :])[:3]
    return (
        torch.ones(width) if gain is None else tensor_of(module, gain),
        torch.zeros(width) if shift is None else tensor_of(module, shift),
        eps,
    )


def curved(node: Node) -> tuple[Node, str]:
    """The curve that alone reads a value, and its name as the kernel knows it."""
    user = only_user(node)
    if user is None or user.kwargs or given(user)[1:]:  # as for GELU by a hyperbolic tangent
        return node, "none"
    name = CURVES.get(user.target, "none")
    return (node, name) if name == "none" else (user, name)
