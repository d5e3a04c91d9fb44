"""How the figures of an operation come about, with the numbers filled in."""

from convatlas.analysis.cost import Line
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.operation import Shape, elements
from convatlas.graph.pool import Pool, SubSampling
from convatlas.graph.product import Attention, Dense, Distance, MatrixProduct
from convatlas.graph.window import Window


def formula(line: Line) -> str:
    """Size, parameters and MACs worked out; empty where there is nothing to work out."""
    operation = line.node.operation
    if isinstance(operation, Conv):
        return _joined(_size(line, operation.windows), _conv(line, operation))
    if isinstance(operation, ConvTransposed):
        return _joined(_spread(line, operation), _conv(line, operation))
    if isinstance(operation, Pool | SubSampling):
        return _size(line, operation.windows, ceil=isinstance(operation, Pool) and operation.ceil)
    if isinstance(operation, Dense):
        return _dense(line, operation)
    if isinstance(operation, MatrixProduct):
        a, b = line.reads
        return f"MACs {_times(*line.output[:-1], a[-1], b[-1])} = {line.macs:,}"
    if isinstance(operation, Distance):
        return (
            f"MACs {_times(*_several(line.output[:-1]), operation.c_in, operation.c_out)} = "
            f"{line.macs:,}"
        )
    if isinstance(operation, Attention):
        q, _, v = line.reads[:3]
        pairs = (line.macs or 0) // (q[-1] + v[-1])
        return f"MACs {pairs}·({q[-1]} + {v[-1]}) = {line.macs:,}"
    return ""


def _conv(line: Line, conv: Conv | ConvTransposed) -> str:
    into = f"{conv.c_in}/{conv.groups}" if conv.groups > 1 else str(conv.c_in)
    weights = f"{_times(*conv.kernel)}·{into}·{conv.c_out}"
    count = elements(conv.kernel) * (conv.c_in // conv.groups) * conv.c_out
    if isinstance(conv, Conv) and conv.links is not None:
        weights, count = f"{_times(*conv.kernel)}·{conv.links}", elements(conv.kernel) * conv.links
    owned = f"parameters {weights}{f' + {conv.c_out}' if conv.bias else ''} = {line.parameters:,}"
    axes = len(conv.kernel)
    places = line.reads[0][-axes:] if isinstance(conv, ConvTransposed) else line.output[-axes:]
    batch = line.output[: -axes - 1]
    much = f"MACs {_times(*_several(batch), *places)}·{count:,} = {line.macs:,}"
    return _joined(owned if line.parameters else "", much)


def _dense(line: Line, dense: Dense) -> str:
    product = f"{dense.c_in}·{dense.c_out}"
    owned = f"parameters {product}{f' + {dense.c_out}' if dense.bias else ''} = {line.parameters:,}"
    tokens = _several(line.output[:-1])
    much = f"MACs {_times(*tokens)}{'·' if tokens else ''}{product} = {line.macs:,}"
    return _joined(owned if line.parameters else "", much)


def _size(line: Line, windows: tuple[Window, ...], *, ceil: bool = False) -> str:
    """Output sizes; one if all axes read the same."""
    axes = len(windows)
    pairs = zip(line.reads[0][-axes:], line.output[-axes:], windows, strict=True)
    texts = dict.fromkeys(_one(size, out, window, ceil) for size, out, window in pairs)
    return f"size {', '.join(texts)}"


def _one(size: int, out: int, window: Window, ceil: bool) -> str:
    left, right = ("⌈", "⌉") if ceil else ("⌊", "⌋")
    padding = ""
    if window.before == window.after != 0:
        padding = f" + 2·{window.before}"
    elif window.before or window.after:
        padding = f" + {window.before} + {window.after}"
    kernel = str(window.kernel)
    if window.dilation > 1:
        kernel = f"({window.dilation}·({window.kernel} − 1) + 1)"
    # rounding up, torch leaves out a last window that would start in the padding behind
    room = size + window.before + window.after - window.reach - 1
    last = "" if ceil and out == -(-room // window.stride) else " + 1"
    return f"{left}({size}{padding} − {kernel})/{window.stride}{right}{last} = {out}"


def _spread(line: Line, conv: ConvTransposed) -> str:
    axes = len(conv.kernel)
    texts = dict.fromkeys(
        f"({size} − 1)·{s} − 2·{p} + {d}·({k} − 1) + {extra} + 1 = {out}"
        for size, out, k, s, p, d, extra in zip(
            *(line.reads[0][-axes:], line.output[-axes:], conv.kernel, conv.stride),
            *(conv.padding, conv.dilation, conv.output_padding),
            strict=True,
        )
    )
    return f"size {', '.join(texts)}"


def _several(batch: Shape) -> Shape:
    """A batch of one goes without saying."""
    return tuple(size for size in batch if size != 1)


def _times(*factors: int) -> str:
    return "·".join(map(str, factors))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
