"""GoogLeNet and its successors, as in torchvision and timm."""

from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.rules import Rules, beneath, normed

GOOGLENET = Layout(
    sources=("torchvision",),
    networks=("googlenet@torchvision",),
    rules=(
        *normed((("stem.0", "conv1"), ("stem.3", "conv2"), ("stem.4", "conv3"))),
        *beneath(
            {
                f"inception{block}": f"inception{block}"
                for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
            },
            normed(
                (
                    ("branch1x1", "branch1"),
                    ("branch3x3.{k}", "branch2.{k}"),
                    ("branch5x5.{k}", "branch3.{k}"),
                    ("branch_pool.{k}", "branch4.{k}"),
                )
            ),
        ),
        *beneath(
            {"auxiliary_4a": "aux1", "auxiliary_4d": "aux2"},
            (*normed((("1", "conv"),)), ("3", "fc1"), ("6", "fc2")),
        ),
        ("head.3", "fc"),
    ),
)

# Inception-v3: what theirs call the branches of a module, ours by number. A step of theirs
# counts from 1, and the two halves of a fan (Figure 7) are a and b.
POOL = ("branches.3.1", "branch_pool")
FIGURE_5 = normed(
    (
        ("branches.0.0", "branch1x1"),
        ("branches.1.{k}", "branch5x5_{k+1}"),
        ("branches.2.{k}", "branch3x3dbl_{k+1}"),
        POOL,
    )
)
FIGURE_6 = normed(
    (
        ("branches.0.0", "branch1x1"),
        ("branches.1.{k}", "branch7x7_{k+1}"),
        ("branches.2.{k}", "branch7x7dbl_{k+1}"),
        POOL,
    )
)
FIGURE_7 = normed(
    (
        ("branches.0.0", "branch1x1"),
        ("branches.1.0", "branch3x3_1"),
        ("branches.1.1.branches.0", "branch3x3_2a"),
        ("branches.1.1.branches.1", "branch3x3_2b"),
        ("branches.2.2.branches.0", "branch3x3dbl_3a"),
        ("branches.2.2.branches.1", "branch3x3dbl_3b"),
        ("branches.2.{k}", "branch3x3dbl_{k+1}"),
        POOL,
    )
)
TO_17 = normed((("branches.0.0", "branch3x3"), ("branches.1.{k}", "branch3x3dbl_{k+1}")))
TO_8 = normed((("branches.0.{k}", "branch3x3_{k+1}"), ("branches.1.{k}", "branch7x7x3_{k+1}")))
STEM_V3 = {"0": "1a_3x3", "1": "2a_3x3", "2": "2b_3x3", "4": "3b_1x1", "5": "4a_3x3"}
INCEPTION_V3 = Layout(
    sources=("torchvision", "timm"),  # timm's has no auxiliary head
    networks=("inception_v3@torchvision",),
    rules=(
        *normed(tuple((f"stem.{n}", f"Conv2d_{name}") for n, name in STEM_V3.items())),
        *beneath({f"stage35.{n}": f"Mixed_5{letter}" for n, letter in enumerate("bcd")}, FIGURE_5),
        *beneath({"stage17.0": "Mixed_6a"}, TO_17),
        *beneath(
            {f"stage17.{n}": f"Mixed_6{letter}" for n, letter in enumerate("bcde", 1)}, FIGURE_6
        ),
        *normed((("auxiliary.1", "AuxLogits.conv0"), ("auxiliary.2", "AuxLogits.conv1"))),
        ("auxiliary.5", "AuxLogits.fc"),
        *beneath({"stage8.0": "Mixed_7a"}, TO_8),
        *beneath({"stage8.1": "Mixed_7b", "stage8.2": "Mixed_7c"}, FIGURE_7),
        ("head.3", "fc"),
    ),
)

# Theirs number the parts of Inception-v4 in one row: stem 0 to 5, then the stages.
STEPS: Rules = (("branches.{b}.{k}", "branch{b}.{k}"),)
ONE_AND_STEPS = (*normed((("branches.0", "branch0"),)), *normed(STEPS))
INCEPTION_V4 = Layout(
    sources=("timm",),
    networks=("inception_v4@timm",),
    rules=(
        *normed(
            (("stem.3.branches.1", "features.3.conv"), ("stem.5.branches.0", "features.5.conv"))
        ),
        *beneath({"stem.4": "features.4"}, normed(STEPS)),
        *normed((("stem.{n}", "features.{n}"),)),
        *beneath({"stage_a.{n}": "features.{n+6}"}, ONE_AND_STEPS),
        *beneath(
            {"reduction_a": "features.10"},
            (*normed((("branches.0.0", "branch0"),)), *normed(STEPS)),
        ),
        *beneath({"stage_b.{n}": "features.{n+11}"}, ONE_AND_STEPS),
        *beneath({"reduction_b": "features.18"}, normed(STEPS)),
        *beneath(
            {"stage_c.{n}": "features.{n+19}"},
            normed(
                (
                    ("branches.0", "branch0"),
                    ("branches.{b}.{k}.branches.0", "branch{b}_{k}a"),
                    ("branches.{b}.{k}.branches.1", "branch{b}_{k}b"),
                    ("branches.3.1", "branch3.1"),
                    ("branches.{b}.{k}", "branch{b}_{k}"),
                )
            ),
        ),
        ("head.3", "last_linear"),
    ),
)

STEM_RESNET = {"0": "1a", "1": "2a", "2": "2b", "4": "3b", "5": "4a"}
MODULE: Rules = (
    *normed((("branches.branches.0.0", "branch0"), ("branches.branches.{b}.{k}", "branch{b}.{k}"))),
    ("expand", "conv2d"),
)
INCEPTION_RESNET = Layout(
    sources=("timm",),
    networks=("inception_resnet_v2@timm",),
    rules=(
        *normed(tuple((f"stem.{n}", f"conv2d_{name}") for n, name in STEM_RESNET.items())),
        *beneath({"stem.7": "mixed_5b"}, ONE_AND_STEPS),
        *beneath({"stage_a.{n}": "repeat.{n}"}, MODULE),
        *beneath(
            {"reduction_a": "mixed_6a"}, (*normed((("branches.0.0", "branch0"),)), *normed(STEPS))
        ),
        *beneath({"stage_b.{n}": "repeat_1.{n}"}, MODULE),
        *beneath({"reduction_b": "mixed_7a"}, normed(STEPS)),
        *beneath({"stage_c.9": "block8", "stage_c.{n}": "repeat_2.{n}"}, MODULE),
        *normed((("head.0", "conv2d_7b"),)),
        ("head.4", "classif"),
    ),
)
