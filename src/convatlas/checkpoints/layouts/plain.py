"""AlexNet, VGG, DenseNet, MobileNet and Swin, as in torchvision and timm."""

from collections.abc import Iterator

from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.rules import Rules
from convatlas.models.vgg import IN_TORCHVISION, Kernels

ALEXNET = Layout(
    sources=("torchvision",),
    networks=("alexnet@torchvision",),
    rules=(
        *(("convolutional.conv1", "features.0"), ("convolutional.conv2", "features.3")),
        *(("convolutional.conv3", "features.6"), ("convolutional.conv4", "features.8")),
        ("convolutional.conv5", "features.10"),
        *(("dense.fc6", "classifier.1"), ("dense.fc7", "classifier.4")),
        ("dense.fc8", "classifier.6"),
    ),
)


def vgg_rules(kernels: Kernels, layers: int) -> Iterator[tuple[str, str]]:
    """Theirs number all layers in one row: so many for each convolution, and a pool behind ours."""
    start = 0
    for row, convolutions in enumerate(kernels, 1):
        yield f"convolutional.row{row}.{{n}}", f"features.{{n+{start}}}"
        start += layers * len(convolutions) + 1
    yield from (("dense.fc1", "classifier.0"), ("dense.fc2", "classifier.3"))
    yield "dense.fc3", "classifier.6"


VGGS = tuple(
    Layout(
        sources=("torchvision",),
        networks=(f"{name}{ending}",),
        rules=tuple(vgg_rules(kernels, layers)),
    )
    for name, kernels in IN_TORCHVISION.items()
    for ending, layers in (("@torchvision", 2), ("-bn", 3))
)

LAYER, THEIR_LAYER = "blocks.block{n}.{m}.composite", "features.denseblock{n}.denselayer{m+1}"
DENSENETS = Layout(
    sources=("torchvision", "timm"),
    networks=("densenet121", "densenet161", "densenet169", "densenet201", "densenet264"),
    rules=(
        *(("stem.conv", "features.conv0"), ("stem.norm", "features.norm0")),
        (f"{LAYER}.conv1x1.norm", f"{THEIR_LAYER}.norm1"),
        (f"{LAYER}.conv1x1.conv", f"{THEIR_LAYER}.conv1"),
        (f"{LAYER}.conv3x3.norm", f"{THEIR_LAYER}.norm2"),
        (f"{LAYER}.conv3x3.conv", f"{THEIR_LAYER}.conv2"),
        ("blocks.transition{n}.norm", "features.transition{n}.norm"),
        ("blocks.transition{n}.conv", "features.transition{n}.conv"),
        *(("norm", "features.norm5"), ("classifier", "classifier")),
    ),
    old=((r"(denselayer\d+\.(?:norm|conv))\.(\d\.)", r"\1\2"),),  # norm.1 for norm1
)

BLOCK, THEIR_BLOCK = "stages.stage{n}.{m}", "blocks.{n-1}.{m}"
MOBILENETS = Layout(
    sources=("timm",),
    networks=("mobilenet_v1@timm",),
    rules=(
        *(("stem.0", "conv_stem"), ("stem.1", "bn1")),
        *((f"{BLOCK}.0", f"{THEIR_BLOCK}.conv_dw"), (f"{BLOCK}.1", f"{THEIR_BLOCK}.bn1")),
        *((f"{BLOCK}.3", f"{THEIR_BLOCK}.conv_pw"), (f"{BLOCK}.4", f"{THEIR_BLOCK}.bn2")),
        ("head.2", "classifier"),
    ),
)


def swin_rules(block: str, merging: str, mlp: tuple[str, str]) -> Rules:
    """What torchvision and timm have in common: stages and their blocks count from 0."""
    ours = "stages.stage{n}.block{m}"
    return (
        *((f"{ours}.norm1", f"{block}.norm1"), (f"{ours}.norm2", f"{block}.norm2")),
        (f"{ours}.attention.attention.table", f"{block}.attn.relative_position_bias_table"),
        (f"{ours}.attention.qkv", f"{block}.attn.qkv"),
        (f"{ours}.attention.project", f"{block}.attn.proj"),
        *((f"{ours}.mlp.0", f"{block}.{mlp[0]}"), (f"{ours}.mlp.2", f"{block}.{mlp[1]}")),
        ("stages.stage{n}.merging.reduce", f"{merging}.reduction"),
        ("stages.stage{n}.merging.norm", f"{merging}.norm"),
    )


SWIN_NAMES = ("swin_t", "swin_s", "swin_b")
# torchvision counts stages and mergings in one row, so that stage n is 2n - 1: spelt out
SWIN_TORCHVISION = Layout(
    sources=("torchvision",),
    networks=SWIN_NAMES,
    rules=(
        *(("embedding.conv", "features.0.0"), ("embedding.norm", "features.0.2")),
        *(
            (ours.replace("{n}", str(n)), theirs)
            for n in (1, 2, 3, 4)
            for ours, theirs in swin_rules(
                f"features.{2 * n - 1}.{{m-1}}", f"features.{2 * n - 2}", ("mlp.0", "mlp.3")
            )
        ),
        *(("norm", "norm"), ("classifier", "head")),
    ),
    ignored=("relative_position_index",),
    constants=tuple(
        (
            f"stages.stage{n}.block{{m}}.attention.attention.rows",
            f"features.{2 * n - 1}.{{m-1}}.attn.relative_position_index",
        )
        for n in (1, 2, 3, 4)
    ),
)
EMBEDDED = (("embedding.conv", "patch_embed.proj"), ("embedding.norm", "patch_embed.norm"))
BUFFERS = ("relative_position_index", "attn_mask")
SWIN_TIMM = Layout(
    sources=("timm",),
    networks=SWIN_NAMES,
    rules=(
        *EMBEDDED,
        *swin_rules("layers.{n-1}.blocks.{m-1}", "layers.{n-1}.downsample", ("mlp.fc1", "mlp.fc2")),
        *(("norm", "norm"), ("classifier", "head.fc")),
    ),
    ignored=BUFFERS,
    ahead=r"(?P<block>layers\.\d+\.downsample\.)norm\.",
)
# The authors' files, and timm's before its version 0.9: a merging ends the stage before it.
SWIN_AUTHORS = Layout(
    sources=("the authors",),
    networks=SWIN_NAMES,
    rules=(
        *EMBEDDED,
        *swin_rules("layers.{n-1}.blocks.{m-1}", "layers.{n-2}.downsample", ("mlp.fc1", "mlp.fc2")),
        *(("norm", "norm"), ("classifier", "head")),
    ),
    ignored=BUFFERS,
)
