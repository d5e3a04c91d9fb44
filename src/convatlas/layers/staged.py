"""Networks made of a stem, stages of equal blocks, and a head; shared by the residual families."""

from collections import OrderedDict
from collections.abc import Callable, Iterable

from torch import nn

from convatlas.errors import UserError

# A block for c_in, c_out and stride; the first block of a stage may change both.
Block = Callable[[int, int, int], nn.Module]


class StagedNet(nn.Sequential):
    """``stem``, ``stage1``, ``stage2`` … and ``head``, one after the other."""

    def __init__(self, stem: nn.Module, stages: Iterable[nn.Module], head: nn.Module) -> None:
        numbered = {f"stage{number}": stage for number, stage in enumerate(stages, 1)}
        super().__init__(OrderedDict(stem=stem, **numbered, head=head))


def stages(
    block: Block, c_in: int, widths: tuple[int, ...], depths: tuple[int, ...]
) -> list[nn.Sequential]:
    """One stage of ``depth`` blocks for each width; every stage but the first halves the map."""
    made = []
    for number, (c_out, depth) in enumerate(zip(widths, depths, strict=True)):
        first = block(c_in, c_out, 2 if number else 1)
        blocks = [first, *(block(c_out, c_out, 1) for _ in range(depth - 1))]
        made.append(nn.Sequential(OrderedDict((f"block{i}", b) for i, b in enumerate(blocks, 1))))
        c_in = c_out
    return made


def imagenet_stem(c_in: int, *, round_up: bool = False) -> nn.Sequential:
    """Convolution 7x7 of stride 2 to 64 maps, batch norm, ReLU, max pool 3x3 of stride 2.

    The pool has a border of one; with ``round_up`` it has none and rounds its size up, as in
    Caffe. Both make 56x56 of 224x224, with windows one pixel apart.
    """
    pool = nn.MaxPool2d(3, 2, ceil_mode=True) if round_up else nn.MaxPool2d(3, 2, padding=1)
    conv = nn.Conv2d(c_in, 64, 7, stride=2, padding=3, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(64), relu=nn.ReLU(), pool=pool))


def cifar_stem(c_in: int, c_out: int = 16) -> nn.Sequential:
    """Convolution 3x3, batch norm, ReLU."""
    conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(c_out), relu=nn.ReLU()))


def pooled_head(c_in: int, num_classes: int, *, dropout: float = 0.0) -> nn.Sequential:
    """Global average pooling, then one dense layer, with dropout before it where asked for."""
    parts: dict[str, nn.Module] = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    if dropout:
        parts["dropout"] = nn.Dropout(dropout)
    parts["dense"] = nn.Linear(c_in, num_classes)
    return nn.Sequential(OrderedDict(parts))


def draw_he(model: nn.Module) -> None:
    """Convolutions normal with variance 2 / (kernel² c_out), biases zero (He et al. 2015, eq. 14).

    That paper calls this and the rule by fan-in equally good; this is the one of the code published
    with the residual networks. Batch norm starts as 1 and 0; the dense layer, which no ReLU
    follows, keeps torch's default.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def refuse_smaller(image_size: int, smallest: int) -> None:
    """Raise `UserError` where a picture is smaller than the smallest legal one."""
    if image_size < smallest:
        raise UserError(
            f"pictures of {image_size}x{image_size} are too small; "
            f"this network accepts {smallest}x{smallest} and larger"
        )
