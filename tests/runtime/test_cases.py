import dataclasses

import msgspec
import numpy as np
import pytest
import torch
from runnable import network
from torch import nn

from convatlas.data.augment import Augment
from convatlas.data.preprocess import Preprocess
from convatlas.errors import UserError
from convatlas.runtime.bundle import Figures, Preparation, array
from convatlas.runtime.cases import SINGLE, Case, cases, other_size
from convatlas.runtime.network import Network
from convatlas.runtime.onnx_file import Form


def with_pictures(count: int) -> Network:
    """A LeNet with a crop, a frame and channel figures, and pictures of its side."""
    small = network("lenet-bn", prepared=True)
    assert small.preparation
    side = small.preparation.side
    pictures = np.random.default_rng(7).integers(0, 256, (count, 1, side, side), np.uint8)
    return dataclasses.replace(small, pictures=pictures)


def as_training_does(how: Preparation, pictures: np.ndarray) -> torch.Tensor:
    preprocess = Preprocess(
        kind="channel-standard",
        pad=how.pad,
        mean=torch.from_numpy(array(how.mean)),
        deviation=torch.from_numpy(array(how.deviation)),
    )
    return preprocess(Augment(crop=how.crop).centre(torch.from_numpy(pictures)))


@pytest.mark.parametrize(
    ("form", "labels"),
    [
        (Form(), ["1 random of 28x28", "3 random of 28x28", "6 real"]),
        (Form(dynamic_batch=False), ["1 random of 28x28", *["1 real"] * SINGLE]),
        (Form(fused=True), ["1 random of 28x28", "3 random of 28x28", "6 real"]),
    ],
)
def test_batches_and_real_pictures(form: Form, labels: list[str]) -> None:
    found = cases(with_pictures(6), form)
    assert [case.label for case in found] == labels
    for case in found:
        assert case.fed.dtype == (np.uint8 if form.fused else np.float32)
        assert len(case.expected) == len(case.fed)


@pytest.mark.parametrize("fused", [False, True])
def test_real_pictures_are_seen_as_in_training(fused: bool) -> None:
    shown = with_pictures(6)
    assert shown.preparation
    assert shown.pictures is not None
    prepared = as_training_does(shown.preparation, shown.pictures)
    real = cases(shown, Form(fused=fused))[-1]
    with torch.inference_mode():
        expected = shown.module(prepared).numpy()
    np.testing.assert_allclose(real.expected, expected, rtol=0, atol=1e-4)
    if fused:
        assert real.fed.shape == (6, 1, 24, 24)
    else:
        np.testing.assert_allclose(real.fed, prepared.numpy(), rtol=0, atol=2e-6)


def test_random_pixels_of_a_fused_network_use_all_their_range() -> None:
    one, three, _ = cases(with_pictures(2), Form(fused=True))
    assert one.fed.shape == (1, 1, 24, 24)
    assert three.fed.shape == (3, 1, 24, 24)
    assert three.fed.min() < 5
    assert three.fed.max() > 250


def test_another_size_is_odd_and_not_square_where_the_network_allows_it() -> None:
    assert other_size(network("nin-cifar")) == (69, 85)
    by_four = Network(name="by four", module=nn.PixelUnshuffle(4).eval(), shape=(1, 28, 28))
    assert other_size(by_four) == (60, 92)
    labels = [case.label for case in cases(network("nin-cifar"), Form(dynamic_size=True))]
    assert labels == ["1 random of 32x32", "3 random of 32x32", "3 random of 69x85"]
    with pytest.raises(UserError, match="takes pictures of 28x28, and neither 65x81 nor 60x92"):
        other_size(network("lenet-bn"))


def test_a_mean_picture_fits_one_size() -> None:
    free = network("nin-cifar", prepared=True)
    assert free.preparation
    mean = Figures(shape=(3, 32, 32), values=(0.5,) * 3072)
    pictured = dataclasses.replace(
        free, preparation=msgspec.structs.replace(free.preparation, mean=mean)
    )
    with pytest.raises(UserError, match="mean picture that nin-cifar subtracts is 32x32"):
        cases(pictured, Form(fused=True, dynamic_size=True))
    assert len(cases(pictured, Form(dynamic_size=True))) == 3


def test_what_does_not_answer_each_picture_is_told_to_be_exported_alone() -> None:
    rows = Network(name="rows", module=nn.Flatten(0).eval(), shape=(1, 4, 4))
    with pytest.raises(UserError, match=r"gives 16 rows .* batch of 1; export it with dyn.*=False"):
        cases(rows, Form())
    alone = Network(name="alone", module=nn.Unflatten(0, (1, 1)).eval(), shape=(1, 4, 4))
    assert len(cases(alone, Form(dynamic_batch=False))) == 1
    with pytest.raises(UserError, match=r"alone fails on a batch of 3: .*dynamic_batch=False"):
        cases(alone, Form())


def test_an_answer_of_another_shape_is_infinitely_wrong() -> None:
    case = Case("one", np.zeros((2, 3), np.float32), np.eye(2, 3, dtype=np.float32))
    assert case.compare(case.expected).error == 0
    assert case.compare(case.expected[:1]).error == float("inf")
    off = case.compare(case.expected[:, ::-1])
    assert (off.error > 1, off.agreement) == (True, 0.5)
