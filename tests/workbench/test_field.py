import json

import pytest
from torch import nn

from convatlas import atlas
from convatlas.arithmetic.field import fields
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.pool import Pool
from convatlas.workbench.field import field


def test_alexnet_by_hand() -> None:
    """11 + 2·4 = 19, + 4·8 = 51, + 2·8 = 67, + 2·16 three times = 163, + 2·16 = 195."""
    found = field("alexnet")
    sizes = [(row[0].split(".")[-1], row[2], row[3]) for row in found.table.rows if row[3]]
    assert sizes == [
        *(("", "1", "1"), ("conv1", "11", "4"), ("pool1", "19", "8"), ("conv2", "51", "8")),
        *(("pool2", "67", "16"), ("conv3", "99", "16"), ("conv4", "131", "16")),
        *(("conv5", "163", "16"), ("pool5", "195", "32")),
    ]
    assert found.coverage.share == 1
    assert str(found).endswith("leave 0 pixels of the picture unread")
    assert "a position of convolutional.pool5 sees 195×195, and reads 38,025" in str(found)


def test_layers_by_name() -> None:
    found = field("resnet18", layer="stem.conv")
    assert found.coverage.size == (7, 7)
    assert json.loads(found.text("json"))["layer"] == "stem.conv"
    with pytest.raises(UserError, match=r"lenet5 has no layer 'c7'; did you mean 'c5'"):
        field("lenet5", layer="c7")
    with pytest.raises(UserError, match="f6 of lenet5 has no positions any more"):
        field("lenet5", layer="f6")


def test_holes_and_notebook() -> None:
    module = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=2, dilation=2) for _ in range(3)))
    found = field(module, "1x32x32")
    assert (found.coverage.size, found.coverage.read) == ((13, 13), 49)
    html = found._repr_html_()
    assert "<p>Sequential, input 32×32</p>" in html
    assert "reads 49 of these 169 pixels (29.0%)" in html


def test_no_pictures_no_field() -> None:
    with pytest.raises(UserError, match=r"Linear takes no pictures \(N×C×H×W\), so it has no"):
        field(nn.Linear(4, 2), "4")


def test_the_same_as_the_stack_of_windows() -> None:
    """VGG-16: thirteen 3x3 and five pools, by the arithmetic of single layers."""
    windows = [
        Window(kernel=w.kernel, stride=w.stride, border=(w.before, w.after))
        for node in atlas.graph("vgg16").nodes
        if isinstance(node.operation, Conv | Pool)
        for w in node.operation.windows[:1]
    ]
    last = fields(windows)[-1]
    found = field("vgg16")
    assert found.coverage.size == (last.size, last.size) == (212, 212)
