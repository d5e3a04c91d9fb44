"""On graphs small enough to say by hand what should be int8."""

import numpy as np
import onnx
import pytest
from onnx import helper
from runnable import network

from convatlas.runtime.export import make_card
from convatlas.runtime.int8 import onnx_quantiser
from convatlas.runtime.int8.judge import Feeds
from convatlas.runtime.int8.prepared import prepared
from convatlas.runtime.int8.rounding import float_nodes
from convatlas.runtime.int8.sample import Sample
from convatlas.runtime.network import Network, random_pixels
from convatlas.runtime.onnx_file import Form, to_onnx
from convatlas.runtime.sessions import onnx_runner, openvino_core


def graph(*nodes: tuple[str, list[str], str]) -> onnx.GraphProto:
    """Nodes (kind, inputs, output), each called by its output; the last is the graph's."""
    made = [helper.make_node(kind, read, [out], name=out) for kind, read, out in nodes]
    end = helper.make_tensor_value_info(nodes[-1][2], onnx.TensorProto.FLOAT, None)
    start = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, None)
    return helper.make_graph(made, "small", [start], [end])


def test_what_passes_values_on_is_int8_only_between_int8() -> None:
    residual = graph(
        ("Conv", ["x", "w1"], "first"),
        ("Relu", ["first"], "relu"),
        ("Conv", ["relu", "w2"], "second"),
        ("Add", ["second", "relu"], "sum"),
        ("Conv", ["sum", "w3"], "third"),
        ("Relu", ["third"], "last"),
    )
    assert float_nodes(residual, ()) == {"last"}  # the scores
    assert float_nodes(residual, ["second"]) == {"last", "second", "relu"}


def test_a_concatenation_before_a_norm_stays_float() -> None:
    dense = graph(
        ("Conv", ["x", "w1"], "first"),
        ("Concat", ["first", "x"], "joined"),
        ("BatchNormalization", ["joined", "a", "b", "c", "d"], "norm"),
        ("Conv", ["norm", "w2"], "second"),
    )
    assert float_nodes(dense, ()) == {"joined", "norm"}


def test_scores_are_not_rounded(digits: Network, sample: Sample) -> None:
    """Of 500 pictures and 10 classes, int8 scores could have 256 values at most."""
    card = make_card(digits, Form())
    with prepared(to_onnx(digits), "digits") as model:
        made = onnx_quantiser.quantise(model, Feeds(sample, card))
    scores = onnx_runner(made)(random_pixels((500, 1, 28, 28)))
    assert len(np.unique(scores)) > 1000


def test_a_file_is_valid_and_holds_no_constant_for_nothing(digits: Network, sample: Sample) -> None:
    with prepared(to_onnx(digits), "digits") as model:
        feeds = Feeds(sample, make_card(digits, Form()))
        made = onnx.load_from_string(onnx_quantiser.quantise(model, feeds))
    onnx.checker.check_model(made)
    read = {name for node in made.graph.node for name in node.input}
    assert {each.name for each in made.graph.initializer} <= read
    kinds = {each.data_type for each in made.graph.initializer if len(each.dims) == 4}
    assert kinds == {onnx.TensorProto.INT8}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"), [("densenet121", 64), ("resnet18", 64), ("googlenet", 96)]
)
def test_both_engines_run_the_file(name: str, size: int) -> None:
    """OpenVINO crashed on a DenseNet with every concatenation in int8."""
    small = network(name, size)
    pixels = [random_pixels((1, *small.shape), seed) for seed in range(3)]
    with prepared(to_onnx(small), name) as model:
        made = onnx_quantiser.quantise(model, pixels)
    expected = small.eager(pixels[0])
    ours = onnx_runner(made)(pixels[0])
    core = openvino_core()
    theirs = core.compile_model(core.read_model(made), "CPU")(pixels[0])[0]
    scale = np.abs(expected - expected.mean()).max()
    for found in (ours, theirs):
        assert np.abs(found - expected).mean() < 0.2 * scale
