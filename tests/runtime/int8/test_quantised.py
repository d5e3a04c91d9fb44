import copy
import dataclasses

import numpy as np
import pytest
import torch

from convatlas.errors import UserError
from convatlas.runtime.export import make_card
from convatlas.runtime.int8 import quantised as quantising
from convatlas.runtime.int8.judge import Feeds, Limits
from convatlas.runtime.int8.prepared import prepared
from convatlas.runtime.int8.quantised import METHODS, Plan, quantised
from convatlas.runtime.int8.sample import DRAWN, Sample
from convatlas.runtime.int8.sensitivity import groups, most_sensitive
from convatlas.runtime.network import Network
from convatlas.runtime.onnx_file import Form, to_onnx

OTHER_ORDER = np.array([0, 2, 3, 4, 5, 6, 7, 8, 9, 1])  # one of ten classes in its place
LAYERS = ("stage1.0", "stage2.0", "head.1", "head.4", "head.7")


@pytest.fixture(scope="module")
def blob(digits: Network) -> bytes:
    return to_onnx(digits)


@pytest.fixture(scope="module")
def lopsided(digits: Network) -> Network:
    """The same network, one unit of its last hidden layer a thousand times as large.

    The last layer divides by as much, so in float32 nothing changes; in int8 the other units are
    rounded to nothing.
    """
    module = copy.deepcopy(digits.module)
    norm, last = module.get_submodule("head.5"), module.get_submodule("head.7")
    with torch.no_grad():
        for values in (norm.weight, norm.bias):
            values[3] *= 1000  # type: ignore[index, operator]  # parameters
        last.weight[:, 3] /= 1000  # type: ignore[index, operator]
    return dataclasses.replace(digits, module=module)


@pytest.mark.parametrize("method", METHODS)
def test_a_trained_network_loses_little(
    method: str, digits: Network, sample: Sample, blob: bytes
) -> None:
    report = quantised(blob, make_card(digits, Form()), Plan(sample), method).report
    assert report.agreement >= 0.99
    assert report.drop is not None
    assert report.drop <= 0.005
    assert report.error < 0.05
    assert (report.calibrated, report.judged, report.data) == (100, 1000, "mnist")
    assert (report.layers, report.float_layers) == (5, ())
    assert report.original is not None
    assert report.original > 0.9
    assert report.accuracy == pytest.approx(report.original - report.drop)


@pytest.mark.parametrize("method", METHODS)
def test_calibration_on_black_pictures_is_refused(
    method: str, digits: Network, sample: Sample, blob: bytes
) -> None:
    black = dataclasses.replace(sample, calibrating=np.zeros_like(sample.calibrating))
    said = (
        r"^int8 loses \d\d\.\d ± \d\.\d points of lenet-bn's accuracy on 1000 pictures of mnist "
        r"\(a fifth of its training part\), even with 2 of 5 layers in float32, at most 1 are "
        r"accepted; calibrate on more or other pictures than these 100, or give a larger "
        r"--max-drop$"
    )
    with pytest.raises(UserError, match=said):
        quantised(blob, make_card(digits, Form()), Plan(black), method)
    unlabelled = dataclasses.replace(black, labels=None, unknown="the pictures have no labels")
    with pytest.raises(UserError, match=r"agrees with lenet-bn in \d+.*97% are asked for; the pic"):
        quantised(blob, make_card(digits, Form()), Plan(unlabelled), method)
    lenient = Plan(unlabelled, Limits(min_agreement=0.0))
    assert quantised(blob, make_card(digits, Form()), lenient, method).report.drop is None


@pytest.mark.parametrize("method", METHODS)
def test_where_the_classes_are_in_another_order_agreement_decides(
    method: str, digits: Network, sample: Sample, blob: bytes
) -> None:
    assert sample.labels is not None
    other = dataclasses.replace(sample, labels=OTHER_ORDER[sample.labels], by_number=True)
    card = make_card(dataclasses.replace(digits, labels=()), Form())
    black = dataclasses.replace(other, calibrating=np.zeros_like(other.calibrating))
    said = (
        r"^int8 agrees with lenet-bn in \d\d\.\d% on .*, at least 97% are asked for; float32 is "
        r"right in \d+\.\d%, if the classes are in the network's order, and 50\.0% may come by "
        r"chance, too near to tell whether --max-drop 1 is kept; calibrate"
    )
    with pytest.raises(UserError, match=said):
        quantised(blob, card, Plan(black), method)
    report = quantised(blob, card, Plan(other), method).report
    assert report.agreement >= 0.99
    assert report.original is report.accuracy is report.drop is report.interval is None
    assert report.unknown.startswith("float32 is right in")


def test_scores_that_are_no_numbers_are_said_to_be(
    digits: Network, sample: Sample, blob: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = dataclasses.replace(
        METHODS["onnxruntime"],
        quantise=lambda *_, **__: b"",
        run=lambda _: lambda fed: np.full((len(fed), 10), np.nan, np.float32),
    )
    monkeypatch.setitem(quantising.METHODS, "onnxruntime", nothing)
    plan = Plan(sample, Limits(max_drop=1.0, min_agreement=0.0))
    with pytest.raises(UserError, match="gives scores of lenet-bn that are no numbers on 1000 pic"):
        quantised(blob, make_card(digits, Form()), plan, "onnxruntime")


@pytest.mark.parametrize("method", METHODS)
def test_the_layer_that_suffers_stays_float32(
    method: str, lopsided: Network, sample: Sample
) -> None:
    plan = Plan(sample, Limits(max_drop=0.005))
    report = quantised(to_onnx(lopsided), make_card(lopsided, Form()), plan, method).report
    assert "head.7" in report.float_layers
    assert 1 <= len(report.float_layers) <= 2
    assert report.drop is not None
    assert report.drop <= 0.005


def test_the_layer_that_suffers_is_found(lopsided: Network, sample: Sample) -> None:
    with prepared(to_onnx(lopsided), "lopsided") as model:
        assert tuple(layer.module for layer in model.layers) == LAYERS
        order = most_sensitive(model, Feeds(sample, make_card(lopsided, Form())))
    assert order[0][0].module == "head.7"
    assert len(order) == len(LAYERS)


def test_drawn_weights_get_one_attempt(lopsided: Network, sample: Sample) -> None:
    drawn = dataclasses.replace(sample, labels=None, unknown=DRAWN)
    with pytest.raises(UserError, match=r"\(a fifth of its training part\), at least 97% .*drawn"):
        quantised(to_onnx(lopsided), make_card(lopsided, Form()), Plan(drawn), "onnxruntime")


def test_groups_hold_every_layer_once_the_ends_alone() -> None:
    layers = list(range(40))
    made = groups(layers)  # type: ignore[arg-type]  # any things in a row
    assert len(made) == 16
    assert (made[0], made[-1]) == ((0,), (39,))
    assert [each for group in made for each in group] == layers
    assert groups(layers[:5]) == ((0,), (1,), (2,), (3,), (4,))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_a_fused_preparation_stays_as_it_is(
    method: str, digits: Network, sample: Sample, blob: bytes
) -> None:
    fused = Form(fused=True)
    card = make_card(digits, fused)
    with prepared(to_onnx(digits, fused), "fused") as model:
        assert len(model.entry) >= 2  # to float, times, plus
    inside = quantised(to_onnx(digits, fused), card, Plan(sample), method)
    before = quantised(blob, make_card(digits, Form()), Plan(sample), method)
    assert inside.report.agreement >= 0.99
    assert abs(inside.report.error - before.report.error) < 0.01
    pixels = sample.judged[:3]
    assert inside.run(pixels).shape == (3, 10)


@pytest.mark.parametrize("method", METHODS)
def test_quantisers_are_silent(
    method: str, digits: Network, sample: Sample, blob: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    quantised(blob, make_card(digits, Form()), Plan(sample), method)
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_is_named(
    digits: Network, sample: Sample, blob: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(UserError, match=r"nncf is not installed.*'convatlas\[openvino\]'"):
        quantised(blob, make_card(digits, Form()), Plan(sample), "nncf")


def test_a_quantiser_that_breaks_off_is_one_line(
    digits: Network, sample: Sample, blob: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("it\nbroke")

    method = dataclasses.replace(METHODS["onnxruntime"], quantise=broken)
    monkeypatch.setitem(quantising.METHODS, "onnxruntime", method)
    with pytest.raises(UserError, match="onnxruntime cannot quantise lenet-bn: it broke; export"):
        quantised(blob, make_card(digits, Form()), Plan(sample), "onnxruntime")
