"""The rules against the libraries themselves, for every network that one of them has.

Built without weights, each of theirs is captured as a graph. Its keys must be those that the rules
make of ours, in the same order; its graph must have our fingerprint; and every operation must read
the parameters that the rules pair.
"""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from published import PUBLISHED, Published
from references import timm, torchvision
from torch import Tensor, nn

from convatlas import models
from convatlas.analysis.meaning.canonical import canonical
from convatlas.checkpoints.adapt import shapes_of, with_heads
from convatlas.checkpoints.layouts import LAYOUTS, SOURCES
from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.meaning import difference, fingerprint, of_blueprint, of_module
from convatlas.checkpoints.rules import renamed
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import propagate
from convatlas.models.family import Blueprint

EACH = [
    pytest.param(
        entry, id=entry.label, marks=[pytest.mark.slow] if entry.numbers == "never" else []
    )
    for entry in PUBLISHED
]


@dataclass(frozen=True)
class Pair:
    """A network of theirs on meta, ours, and the layout that pairs their keys."""

    theirs: nn.Module
    state: dict[str, Tensor]
    blueprint: Blueprint[Any]
    layout: Layout
    names: dict[str, str]


def pair(entry: Published) -> Pair:
    with torch.device("meta"):
        theirs = entry.build()
    state = theirs.state_dict()
    heads = any("aux" in key.lower() for key in state)
    blueprint = with_heads(models.blueprint(entry.name), wanted=heads)
    shapes = shapes_of(blueprint)
    for layout in LAYOUTS[blueprint.family.name]:
        names = renamed(shapes, layout.rules)
        if entry.source in layout.sources and entry.name in layout.networks and names:
            return Pair(theirs, state, blueprint, layout, names)
    raise AssertionError(entry.label)


@pytest.mark.parametrize("entry", EACH)
def test_rules_pair_the_keys_in_the_order_of_both(entry: Published) -> None:
    found = pair(entry)
    kept = [k for k in found.state if not k.endswith(found.layout.ignored or ("\0",))]
    assert found.layout.ordered(found.names.values()) == kept
    for key, shape in shapes_of(found.blueprint).items():
        assert tuple(found.state[found.names[key]].shape) == shape


@pytest.mark.parametrize("entry", [each for each in EACH if "swin" not in str(each.id)])
def test_theirs_is_our_network_with_the_paired_parameters(entry: Published) -> None:
    # not Swin: ours adds a mask of zeros where one window covers the map, theirs none
    found = pair(entry)
    ours, theirs = of_blueprint(found.blueprint), of_module(found.theirs, found.blueprint)
    assert fingerprint(ours) == fingerprint(theirs)
    assert difference(ours, theirs) is None
    for mine, other in zip(ours, theirs, strict=True):
        expected = [[found.names[key] for key in keys] for keys in parameters(mine)]
        assert expected == parameters(other)


def parameters(graph: Graph) -> list[list[str]]:
    """The names of what each operation reads, operations in an order that follows from wiring."""
    return [
        [graph.parameters[index].names[0] for index in item.parameters]
        for item in canonical(graph, propagate(graph))
        if item.role != "constant"
    ]


def test_every_network_that_is_named_exists_and_has_the_layout() -> None:
    for family, layouts in LAYOUTS.items():
        for layout in layouts:
            for name in layout.networks:
                blueprint = models.blueprint(name)
                assert blueprint.family.name == family
                assert renamed(shapes_of(blueprint), layout.rules) is not None


def test_every_family_with_a_layout_can_be_saved_for_some_library() -> None:
    for layouts in LAYOUTS.values():
        assert any(set(SOURCES) & set(layout.sources) for layout in layouts)


def test_pre_activation_units_are_timms_but_for_stride_and_first_norm() -> None:
    layers = timm.layers
    with torch.device("meta"):
        theirs = timm.models.resnetv2.ResNetV2(
            [3, 24, 36, 3], norm_layer=layers.BatchNormAct2d, conv_layer=layers.create_conv2d
        )
    shapes = shapes_of(models.blueprint("preact-resnet200"))
    (layout,) = LAYOUTS["preact-resnet"]
    names = renamed(shapes, layout.rules)
    assert names is not None
    state = theirs.state_dict()
    assert layout.ordered(names.values()) == list(state)
    other = [k for k, s in shapes.items() if tuple(state[names[k]].shape) != s]
    assert other == ["head.dense.weight"]
    assert tuple(state["head.fc.weight"].shape) == (*shapes["head.dense.weight"], 1, 1)


def test_the_old_keys_of_densenet_are_read() -> None:
    with torch.device("meta"):
        state = torchvision.models.densenet121().state_dict()
    (layout,) = LAYOUTS["densenet"]
    old = [
        key.replace("norm1", "norm.1").replace("conv1", "conv.1").replace("norm2", "norm.2")
        for key in state
    ]
    assert sum(a != b for a, b in zip(old, state, strict=True)) > 500
    assert list(layout.present(old)) == list(state)
    assert list(layout.present(state)) == list(state)
