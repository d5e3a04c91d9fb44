import json
import random
from typing import Any

import pytest
from random_networks import Generator

from convatlas import atlas
from convatlas.capture.capture import capture
from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.document import OPERATIONS, VERSION, read, write
from convatlas.graph.graph import Graph, Guard, Node, Parameter
from convatlas.graph.propagate import propagate
from convatlas.graph.rearrange import View
from convatlas.graph.sizes import Formula, SizeOf
from convatlas.graph.source import Input

NAMES = ("lenet5", "vgg16", "googlenet", "inception_v3", "swin_t", "unet", "cbam-resnet18")


@pytest.mark.parametrize("name", NAMES)
def test_networks_come_back_as_they_were(name: str) -> None:
    graph = atlas.graph(name)
    text = write(graph)
    again = read(text)
    assert again == graph
    assert write(again) == text
    assert propagate(again) == propagate(graph)
    assert read(text.encode()) == graph


@pytest.mark.parametrize("seed", range(30))
def test_random_networks_come_back_as_they_were(seed: int) -> None:
    graph = capture(Generator(seed).network((24, 30)).eval(), (1, 2, 24, 30))
    again = read(write(graph))
    assert again == graph
    assert write(again) == write(graph)


def everything() -> Graph:
    """One of each thing a document holds, nothing at its default."""
    conv = Conv(
        c_in=2,
        c_out=4,
        kernel=(3, 3),
        stride=(2, 1),
        padding=((1, 0), (0, 1)),
        dilation=(1, 2),
        groups=2,
        bias=False,
        padding_mode="reflect",
        links=3,
    )
    half = Formula("//", SizeOf(1, 2), 2)
    return Graph(
        name="größe",
        nodes=(
            Node(operation=Input(name="x"), inputs=(), data=0, dtype="float16"),
            Node(operation=conv, inputs=(0,), data=1, path="a.b", parameters=(1, 0)),
            Node(
                operation=View(sizes=(SizeOf(0, 0), half, -1)),
                inputs=(1, 0),
                data=1,
                path="a",
                alias=True,
            ),
        ),
        inputs=((1, 2, 8, 8),),
        outputs=(("", 2), ("side.0", 1)),
        parameters=(
            Parameter(names=("w", "tied"), shape=(4, 1, 3, 3), trainable=False, dtype="float64"),
            Parameter(names=("n",), shape=(), buffer=True),
        ),
        guards=(Guard(SizeOf(0, 2), ">=", Formula("+", 3, 4), True, (0,), "a"),),
        training=True,
        notes=("a note",),
    )


def test_everything_comes_back() -> None:
    graph = everything()
    assert read(write(graph)) == graph


def test_equal_graphs_give_equal_text() -> None:
    assert write(everything()) == write(everything())
    assert "\n" not in write(everything())


def test_names_of_operations_are_unique() -> None:
    assert len(set(OPERATIONS.values())) == len(OPERATIONS)


def test_another_format_is_refused() -> None:
    document = json.loads(write(everything()))
    document["convatlas graph"] = VERSION + 1
    expected = f"this graph has format {VERSION + 1}, expected {VERSION}; write it again"
    with pytest.raises(UserError, match=expected):
        read(json.dumps(document))
    with pytest.raises(UserError, match="has format None"):
        read("{}")


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "3", '"x"', "{", "\x00", "[" * 100_000, b"\xff\xfe\xfa"]
)
def test_what_is_no_document_at_all(text: str | bytes) -> None:
    with pytest.raises(UserError, match="this is no graph of ConvAtlas"):
        read(text)


def test_every_truncation_is_refused() -> None:
    text = write(everything())
    for end in range(len(text)):
        with pytest.raises(UserError):
            read(text[:end])


HOSTILE: list[Any] = [None, -1, 99, 1.5, "x", True, [], [[]], {}, {"of": [7, 7]}, {"//": [1, 0]}]


def damaged(draw: random.Random, value: Any) -> Any:
    """The same with one thing somewhere in it replaced or lost."""
    if draw.random() < 0.2 or not isinstance(value, list | dict) or not value:
        return draw.choice(HOSTILE)
    if isinstance(value, list):
        at = draw.randrange(len(value))
        if draw.random() < 0.1:
            return value[:at] + value[at + 1 :]
        return [*value[:at], damaged(draw, value[at]), *value[at + 1 :]]
    key = draw.choice(list(value))
    if draw.random() < 0.1:
        return {other: each for other, each in value.items() if other != key}
    return {**value, key: damaged(draw, value[key])}


@pytest.mark.parametrize("seed", range(30))
def test_damage_is_refused_or_harmless(seed: int) -> None:
    """Of 1,500 documents each gives a graph that can be walked, or one `UserError`."""
    draw = random.Random(seed)
    document = json.loads(write(everything()))
    refused = []
    for _ in range(50):
        text = json.dumps(damaged(draw, document))
        try:
            graph = read(text)
        except UserError as error:
            refused.append(str(error))
            continue
        propagate(graph)
        assert graph.trainable + graph.frozen + graph.buffered >= 0
        assert read(write(graph)) == graph
    assert refused
    assert not any("\n" in message for message in refused)


def test_references_must_be_there() -> None:
    document = json.loads(write(everything()))
    document["nodes"][1][1] = [1]  # reads itself
    with pytest.raises(UserError, match=r"what operation 1 reads is not there: \[1\] of 1"):
        read(json.dumps(document))


def test_an_operation_of_a_later_version() -> None:
    text = write(everything()).replace('"View"', '"Twist"')
    with pytest.raises(UserError, match="Twist"):
        read(text)
