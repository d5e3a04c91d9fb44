import pytest

from convatlas import atlas
from convatlas.analysis.compare import Figures, figures
from convatlas.analysis.cost import cost
from convatlas.graph.graph import Graph


def of(name: str) -> Figures:
    graph: Graph = atlas.graph(name)
    return figures(cost(graph, tuple((1, *shape[1:]) for shape in graph.inputs)))


def test_alexnet_over_lenet() -> None:
    """Often told as 250 times the compute with about 10 times the parameters; it is neither.

    LeNet-5: 60,000 parameters and 328,096 multiply-adds; AlexNet 60,965,224 and 724,406,816:
    60,965,224 / 60,000 = 1,016.09 and 724,406,816 / 328,096 = 2,207.91.
    """
    ratios = of("alexnet").ratios(of("lenet5"))
    assert ratios["parameters"] == pytest.approx(1016.09, abs=0.005)
    assert ratios["macs"] == pytest.approx(2207.91, abs=0.005)


def test_figures() -> None:
    found = of("alexnet")
    assert (found.network, found.inputs, found.layers) == ("alexnet", "3×224×224", 8)
    assert found.field == 195  # of pool5: 163 + 2·16
    assert found.weights == 4 * found.parameters
    assert 0 < found.peak < found.activations
    assert of("resnet50").layers == 53 + 1  # with the four projections
    assert all(value == 1 for value in found.ratios(found).values())


def test_no_ratio_over_nothing() -> None:
    first = Figures(
        network="none",
        inputs="1",
        layers=0,
        parameters=0,
        macs=0,
        work=5,
        weights=0,
        activations=10,
        peak=10,
        field=None,
    )
    assert first.ratios(first) == {"work": 1, "activations": 1, "peak": 1}
