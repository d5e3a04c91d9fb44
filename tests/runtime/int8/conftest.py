"""A network that was really trained, and pictures that it was not trained on."""

import dataclasses
from pathlib import Path

import pytest
import torch

import convatlas
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.idx_sets import mnist
from convatlas.runtime.int8.sample import Sample, gather
from convatlas.runtime.network import Network
from convatlas.workbench.export import network_of

TRAINED_ON = 9000


def _sealed() -> Pictures:
    raise AssertionError("the test part was opened")


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``lenet-bn`` after an epoch over the first digits; 96 % or better on others."""
    whole = mnist()
    few = Pictures(whole.train.images[:TRAINED_ON], whole.train.labels[:TRAINED_ON])
    data = Dataset("digits", whole.classes, few, SealedTest(lambda: _few(whole)), {})
    return convatlas.train("lenet-bn", data, out=tmp_path_factory.mktemp("run") / "run").folder.path


def _few(whole: Dataset) -> Pictures:
    test = whole.test.open("a test of int8")
    return Pictures(test.images[:100], test.labels[:100])


@pytest.fixture(scope="session")
def digits(digits_run: Path) -> Network:
    """The trained network, with its preparation and labels."""
    torch.set_num_threads(1)
    return network_of(str(digits_run))


@pytest.fixture(scope="session")
def sample(digits: Network) -> Sample:
    """Of MNIST's training part: 100 digits to calibrate on, 1000 others to judge by."""
    found = gather("mnist", digits)
    assert found.labels is not None
    return dataclasses.replace(
        found,
        calibrating=found.calibrating[:100],
        judged=found.judged[:1000],
        labels=found.labels[:1000],
    )
