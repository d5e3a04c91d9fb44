import pytest
from torch import nn

from convatlas import atlas
from convatlas.analysis.describe import describe
from convatlas.capture.capture import capture

MAPS = (1, 4, 16, 16)


@pytest.mark.parametrize(
    ("module", "shape", "words"),
    [
        (nn.Conv2d(4, 8, 3), MAPS, "conv 3×3, 4 → 8"),
        (nn.Conv2d(4, 8, (3, 1), 2, (1, 0)), MAPS, "conv 3×1, 4 → 8, stride 2, padding 1×0"),
        (nn.Conv2d(4, 8, 3, (2, 1)), MAPS, "conv 3×3, 4 → 8, stride 2×1"),
        (nn.Conv2d(4, 8, 3, dilation=2, groups=2), MAPS, "conv 3×3, 4 → 8, dilation 2, groups 2"),
        (nn.Conv2d(4, 8, 3, groups=4), MAPS, "depthwise conv 3×3, 4 → 8"),
        (nn.Conv2d(4, 8, 2, padding="same"), MAPS, "conv 2×2, 4 → 8, padding 0+1×0+1"),
        (nn.Conv1d(4, 8, 3, padding=1), (1, 4, 9), "conv 3, 4 → 8, padding 1"),
        (
            nn.ConvTranspose2d(4, 8, 3, 2, 1, 1),
            MAPS,
            "transposed conv 3×3, 4 → 8, stride 2, padding 1, output padding 1",
        ),
        (nn.MaxPool2d(3, 2, 1), MAPS, "max pool 3×3, stride 2, padding 1"),
        (nn.MaxPool2d(3, 2, ceil_mode=True), MAPS, "max pool 3×3, stride 2, rounding up"),
        (nn.AvgPool2d(2), MAPS, "avg pool 2×2, stride 2"),
        (nn.AdaptiveAvgPool2d(1), MAPS, "global avg pool"),
        (nn.AdaptiveMaxPool2d((7, 5)), MAPS, "adaptive max pool to 7×5"),
        (nn.Linear(4096, 10), (1, 4096), "dense 4,096 → 10"),
        (nn.BatchNorm2d(4), MAPS, "batch norm"),
        (nn.LayerNorm(16), MAPS, "layer norm"),
        (nn.GroupNorm(2, 4), MAPS, "group norm, 2 groups"),
        (nn.LocalResponseNorm(5), MAPS, "response norm over 5"),
        (nn.ReLU(), MAPS, "relu"),
        (nn.Dropout(0.25), MAPS, "dropout 0.25"),
        (nn.Dropout2d(0.5), MAPS, "dropout 0.5 of maps"),
        (nn.Softmax(-1), MAPS, "softmax"),
        (nn.LogSoftmax(-1), MAPS, "log softmax"),
        (nn.Flatten(), MAPS, "flatten"),
        (nn.Upsample(scale_factor=2), MAPS, "nearest resize ×2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words(module: nn.Module, shape: tuple[int, ...], words: str) -> None:
    assert describe(capture(module, shape).nodes[-1].operation) == words


def test_every_operation_of_every_network_has_words() -> None:
    for entry in atlas.entries():
        for node in atlas.graph(entry.name).nodes:
            words = describe(node.operation)
            assert words
            assert words == words.strip()
            assert "(" not in words, "the words of a dataclass"
