import xml.etree.ElementTree as ET

import pytest

from convatlas import atlas
from convatlas.analysis.compare import Figures, figures
from convatlas.analysis.cost import cost
from convatlas.plots.scatter import scatter

NAMES = ("lenet5", "alexnet", "vgg16", "resnet50")


@pytest.fixture(scope="module")
def networks() -> list[Figures]:
    return [figures(cost(atlas.graph(name))) for name in NAMES]


@pytest.mark.parametrize(
    ("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n"), ("pdf", b"%PDF")]
)
def test_kinds(networks: list[Figures], kind: str, start: bytes) -> None:
    assert scatter(networks, kind).startswith(start)


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_the_same_networks_give_the_same_file(networks: list[Figures], kind: str) -> None:
    first, second = (scatter(networks, kind) for _ in range(2))
    assert first == second


def test_every_network_is_named(networks: list[Figures]) -> None:
    first = scatter(networks, "svg")
    root = ET.fromstring(first)
    comments = first.decode()
    assert root.tag.endswith("svg")
    assert all(f"<!-- {name} -->" in comments for name in NAMES)
    assert "multiply-adds" in comments


def test_one_network_and_one_without_weights(networks: list[Figures]) -> None:
    nothing = Figures(
        network="nothing",
        inputs="1",
        layers=0,
        parameters=0,
        macs=0,
        work=0,
        weights=0,
        activations=0,
        peak=0,
        field=None,
    )
    assert scatter(networks[:1], "svg")
    assert scatter([nothing], "svg")
    assert scatter([nothing, *networks], "svg")
