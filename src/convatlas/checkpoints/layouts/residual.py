"""ResNet and what grew from it, as in torchvision and timm."""

from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.rules import Rules

# All of them number blocks from 0 and name the projection "downsample".
BLOCKS: Rules = (
    ("stage{n}.block{m}.branch.conv{k}", "layer{n}.{m-1}.conv{k}"),
    ("stage{n}.block{m}.branch.norm{k}", "layer{n}.{m-1}.bn{k}"),
    ("stage{n}.block{m}.shortcut.conv", "layer{n}.{m-1}.downsample.0"),
    ("stage{n}.block{m}.shortcut.norm", "layer{n}.{m-1}.downsample.1"),
)
RESNET: Rules = (
    *(("stem.conv", "conv1"), ("stem.norm", "bn1")),
    *BLOCKS,
    ("head.dense", "fc"),
)
SE: Rules = (
    *RESNET,
    ("stage{n}.block{m}.branch.se.reduce", "layer{n}.{m-1}.se.fc1"),
    ("stage{n}.block{m}.branch.se.expand", "layer{n}.{m-1}.se.fc2"),
)
LEGACY_SE: Rules = (
    *(("stem.conv", "layer0.conv1"), ("stem.norm", "layer0.bn1")),
    *(("stem.conv{k}", "layer0.conv{k}"), ("stem.norm{k}", "layer0.bn{k}")),  # SENet-154
    *BLOCKS,
    ("stage{n}.block{m}.branch.se.reduce", "layer{n}.{m-1}.se_module.fc1"),
    ("stage{n}.block{m}.branch.se.expand", "layer{n}.{m-1}.se_module.fc2"),
    ("head.dense", "last_linear"),
)
ECA: Rules = (*RESNET, ("stage{n}.block{m}.branch.eca.conv", "layer{n}.{m-1}.se.conv"))

# Where the shape changes ours has the first norm outside the sum, theirs in the unit; the norm
# of our stem, which stands before the pool, is theirs of the first unit.
UNIT = "stages.{n-1}.blocks.{m-1}"
PREACT: Rules = (
    ("stem.conv", "stem.conv"),
    ("stem.norm", "stages.0.blocks.0.norm1"),
    ("stage{n}.unit{m}.norm1", f"{UNIT}.norm1"),
    ("stage{n}.unit{m}.branch.conv{k}", f"{UNIT}.conv{{k}}"),
    ("stage{n}.unit{m}.branch.norm{k}", f"{UNIT}.norm{{k}}"),
    ("stage{n}.unit{m}.sum.branch.conv{k}", f"{UNIT}.conv{{k}}"),
    ("stage{n}.unit{m}.sum.branch.norm{k}", f"{UNIT}.norm{{k}}"),
    ("stage{n}.unit{m}.shortcut", f"{UNIT}.downsample.conv"),
    ("stage{n}.unit{m}.sum.shortcut", f"{UNIT}.downsample.conv"),
    ("head.norm", "norm"),
    ("head.dense", "head.fc"),
)

BOTH = ("torchvision", "timm")

RESNETS = Layout(
    sources=BOTH,
    networks=(
        *("resnet18", "resnet34"),
        *("resnet50@torchvision", "resnet101@torchvision", "resnet152@torchvision"),
    ),
    rules=RESNET,
)
RESNEXTS = Layout(
    sources=BOTH,
    networks=(
        *("resnext50", "resnext50-2x40d", "resnext50-4x24d", "resnext50-8x14d", "resnext101"),
        *("resnext101-2x64d", "resnext101-64x4d", "resnext101-32x8d"),
    ),
    rules=RESNET,
)
WIDE_RESNETS = Layout(
    sources=BOTH, networks=("wide-resnet-50-2", "wide-resnet-101-2@torchvision"), rules=RESNET
)
SENETS = Layout(
    sources=("timm",),
    networks=(
        *("se-resnet50@timm", "se-resnet101@timm", "se-resnet152@timm"),
        *("se-resnext50@timm", "se-resnext101@timm"),
    ),
    rules=SE,
)
LEGACY_SENETS = Layout(
    sources=("timm",),
    networks=(
        *("se-resnet50", "se-resnet101", "se-resnet152"),
        *("se-resnext50", "se-resnext101", "senet154"),
    ),
    rules=LEGACY_SE,
)
ECA_RESNETS = Layout(
    sources=("timm",),
    networks=(
        *("eca-resnet18", "eca-resnet34"),
        *("eca-resnet50", "eca-resnet101", "eca-resnet152"),
        *("eca-resnet50@authors", "eca-resnet101@authors", "eca-resnet152@authors"),
    ),
    rules=ECA,
    old=((r"^(layer\d+\.\d+)\.eca\.", r"\1.se."),),  # the authors' own files
)
PREACT_RESNETS = Layout(
    sources=("timm",),
    networks=(),
    rules=PREACT,
    pointwise=("head.fc.weight",),
    ahead=r"(?P<block>stages\.\d+\.blocks\.\d+\.)downsample\.",
    unlike=(
        "timm's has the stride on the 3×3, not on the first 1×1, and its first norm and ReLU "
        "behind the max pool, not before it"
    ),
)
