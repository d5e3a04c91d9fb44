from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_bundle import Tiny, tiny_card

from convatlas.errors import UserError
from convatlas.runtime.classifier import Classifier
from convatlas.runtime.predictions import Prediction, Way, predictions, without_network
from convatlas.runtime.sources import Source

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Network:
    """Scores are 10 times the means of the channels; remembers how many it was given."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, fed: np.ndarray) -> np.ndarray:
        self.batches.append(len(fed))
        return 10 * fed.mean((2, 3), dtype=np.float32)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def classifier(network: Network) -> Classifier:
    return Classifier(card=tiny_card(Tiny()), run=network)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Red, green and blue pictures in turn; every fifth is broken."""
    paths = []
    for number in range(23):
        colour = list(COLOURS)[number % 3]
        path = tmp_path / f"{number:02}-{colour}.png"
        Image.new("RGB", (9 + number, 12), COLOURS[colour]).save(path)
        if number % 5 == 4:
            path.write_bytes(path.read_bytes()[:40])
        paths.append(path)
    return paths


def sourced(files: list[Path]) -> Iterator[Source]:
    yield from map(Source, files)


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("batch", [1, 4, 100])
def test_each_file_has_its_answer_in_its_place(
    workers: int, batch: int, classifier: Classifier, network: Network, files: list[Path]
) -> None:
    way = Way(top=2, batch=batch, workers=workers)
    made = list(predictions(classifier, sourced(files), way))
    assert [p.path for p in made] == list(map(str, files))
    for number, prediction in enumerate(made):
        if number % 5 == 4:
            assert prediction.error is not None
            assert prediction.error.startswith("broken or cut off")
            assert prediction.guesses == ()
        else:
            assert prediction.error is None
            assert prediction.guesses[0].label == list(COLOURS)[number % 3]
            assert len(prediction.guesses) == 2
    assert sum(network.batches) == 19
    assert max(network.batches) <= batch


def test_a_batch_of_nothing_readable_is_not_run(
    classifier: Classifier, network: Network, tmp_path: Path
) -> None:
    made = predictions(classifier, [Source(tmp_path / "none.png")] * 3, Way(batch=2))
    assert [p.error for p in made] == ["cannot be read: No such file or directory"] * 3
    assert network.batches == []


def test_a_known_problem_is_not_tried(classifier: Classifier, files: list[Path]) -> None:
    [made] = predictions(classifier, [Source(files[0], "no picture")], Way())
    assert made == Prediction(str(files[0]), (), "no picture")


def test_inverting_is_the_negative(classifier: Classifier, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (0, 255, 255)).save(tmp_path / "cyan.png")
    [made] = predictions(classifier, [Source(tmp_path / "cyan.png")], Way(invert=True))
    assert made.guesses[0].label == "red"


def test_scores_that_are_no_numbers_are_an_error_of_the_picture(
    files: list[Path], recwarn: pytest.WarningsRecorder
) -> None:
    def run(fed: np.ndarray) -> np.ndarray:
        scores = fed.mean((2, 3))
        scores[0, 1] = np.nan
        scores[1, 1] = np.inf
        return scores

    made = list(
        predictions(Classifier(card=tiny_card(Tiny()), run=run), sourced(files[:3]), Way(batch=3))
    )
    assert [bool(p.error) for p in made] == [True, True, False]
    assert made[0].error == "the network's scores of it are no numbers"
    assert not recwarn


def test_results_come_before_the_last_file_is_known(
    classifier: Classifier, files: list[Path]
) -> None:
    def endless() -> Iterator[Source]:
        while True:
            yield from sourced(files)

    made = predictions(classifier, endless(), Way(batch=2, workers=2))
    assert [next(made).path for _ in range(30)] == [str(f) for f in (files + files)[:30]]
    made.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_engine_that_fails_ends_it(workers: int, files: list[Path]) -> None:
    def run(fed: np.ndarray) -> np.ndarray:
        raise UserError("no memory")

    made = predictions(
        Classifier(card=tiny_card(Tiny()), run=run), sourced(files), Way(workers=workers)
    )
    with pytest.raises(UserError, match="no memory"):
        list(made)


def test_no_network_is_needed_where_no_file_that_is_named_can_be_opened(
    files: list[Path], tmp_path: Path
) -> None:
    none, folder = str(tmp_path / "none.png"), str(tmp_path)
    why = "cannot be read: No such file or directory"
    answers = [Prediction(none, (), why), Prediction(none, (), why)]
    assert without_network([none, none]) == answers
    for other in (str(files[0]), folder, str(tmp_path / "*.png"), "-"):
        assert without_network([none, other]) is None
