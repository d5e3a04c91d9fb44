"""Items and their settings in words."""

from collections.abc import Sequence
from itertools import groupby

from convatlas.analysis.meaning.item import Item
from convatlas.analysis.meaning.roles import GLOBAL, Value

ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "prelu": "PReLU",
    "rrelu": "randomised ReLU",
    "elu": "ELU",
    "selu": "SELU",
    "celu": "CELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "mish": "Mish",
    "hardswish": "hard swish",
    "hardsigmoid": "hard sigmoid",
}
POOLS = {"avg": "average pooling", "max": "max pooling", "lp": "power-average pooling"}
SETTINGS = {
    "numbers": "kind of numbers",
    "trained": "trained parameters",
    "shared": "sharing of parameters",
}


def named(item: Item) -> str:
    """The kind of an item: batch normalisation, max pooling, convolution."""
    kind = str(item.get("kind"))
    if item.role == "activation":
        return ACTIVATIONS.get(kind, kind)
    if item.role == "normalisation":
        return f"{kind} normalisation"
    if item.role == "pooling":
        return POOLS.get(kind, kind)
    if item.role == "convolution" and item.get("groups") == "one for each map":
        return "depthwise convolution"
    return "rearrangement" if item.role == "layout" else item.role


def short(item: Item) -> str:
    """An item with its kernel, which tells apart the convolutions of a block."""
    kernel = item.get("kernel")
    if kernel == GLOBAL:
        return f"global {named(item)}"
    return f"{named(item)} {shown('kernel', kernel)}" if kernel else named(item)


def long(item: Item, *, widths: bool = True) -> str:
    """An item with its kernel and what else it is mostly asked for."""
    width, p = item.get("width"), item.get("p")
    stride = item.get("stride")
    said = short(item)
    if width is not None and widths:
        said += f", {width}"
    if stride and max(stride) > 1:
        said += f", stride {shown('stride', stride)}"
    return f"{said} {p:g}" if p is not None else said


def full(item: Item) -> str:
    """A kind with its settings: leaky ReLU 0.01."""
    settings = item.get("settings")
    return f"{named(item)} {shown('settings', settings)}" if settings else named(item)


def listed(items: Sequence[Item], *, widths: bool = True) -> str:
    """Items one after the other, the same in a row said once; at the most six are named."""
    names = [long(item, widths=widths) for item in items]
    runs = [(name, len(list(run))) for name, run in groupby(names)]
    parts = [name if count == 1 else f"{count} × {name}" for name, count in runs]
    if len(parts) > 6:
        parts = [*parts[:5], f"… ({len(items)} operations)"]
    return " → ".join(parts)


def shown(name: str, value: Value) -> str:
    """A setting's value as printed: 3×3, yes, 1e-05."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, tuple):
        return ACTIVATIONS.get(value, str(value)) if name == "kind" else str(value)
    if not value:
        return "none"
    if all(isinstance(each, tuple) for each in value):
        return _padding(value)
    if name in ("kernel", "sizes"):
        return "×".join(map(str, value))
    if name == "scale" or name == "shift" or len(set(value)) > 1:
        return ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value)
    return str(value[0])


def _padding(pairs: tuple[Value, ...]) -> str:
    """One number where all sides have it, else before and after for each axis."""
    flat = {side for pair in pairs for side in pair}
    if len(flat) == 1:
        return str(flat.pop())
    if all(before == after for before, after in pairs):
        return "×".join(str(before) for before, _ in pairs)
    return "×".join(f"{before}+{after}" for before, after in pairs)


def setting(name: str, item: Item) -> str:
    """What differs: the stride of convolution 3×3, the kind of normalisation."""
    if name in ("numbers", "trained", "shared"):
        return SETTINGS[name]
    if name == "over":
        return f"what a {item.role} reads at once"
    if name == "kind":
        return item.role if item.role == "activation" else f"kind of {item.role}"
    whose = named(item) if name in ("kernel", "kernel, padding") else short(item)
    return f"{SETTINGS.get(name, name)} of {whose}"
