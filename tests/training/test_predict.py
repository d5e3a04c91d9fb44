from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convatlas.data.load import load
from convatlas.data.split import split
from convatlas.training.check import check
from convatlas.training.loop import Silent
from convatlas.training.predict import predict
from convatlas.training.prepare import Request
from convatlas.training.recipe import Recipe
from convatlas.training.run import RunFolder, Trained, load_run
from convatlas.training.train import train


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    recipe = Recipe(epochs=4, batch=16, lr=0.05)
    asked = Request(network="lenet-relu", data=f"folder:{pictures}", recipe=recipe)
    path = tmp_path_factory.mktemp("runs") / "run"
    return load_run(train(asked, RunFolder(path), Silent()).folder.path)


def lit(side: int, mode: str = "L") -> Image.Image:
    """A picture whose left half is light, like the class ``left``."""
    pixels = np.full((side, side), 45, np.uint8)
    pixels[:, : side // 2] = 165
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("side", [14, 28, 100])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "P"])
def test_pictures_of_any_size_and_mode(side: int, mode: str, run: Trained, tmp_path: Path) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    lit(side, mode).save(path)
    [prediction] = predict(run, [path], top=3)
    assert prediction.guesses[0].label == "left"
    assert len(prediction.guesses) == 3
    assert sum(guess.probability for guess in prediction.guesses) == pytest.approx(1)


def test_unreadable_files_are_named_and_the_rest_done(run: Trained, tmp_path: Path) -> None:
    lit(28).save(tmp_path / "good.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    names = ["empty.png", "good.png", "text.png", "missing.png"]
    results = predict(run, [tmp_path / name for name in names], top=1)
    assert [bool(result.error) for result in results] == [True, False, True, True]
    assert [Path(result.path).name for result in results] == names
    assert results[1].guesses[0].label == "left"


def test_inverting_is_the_negative(run: Trained, tmp_path: Path) -> None:
    lit(28).save(tmp_path / "a.png")
    Image.fromarray(255 - np.asarray(lit(28))).save(tmp_path / "b.png")
    [plain] = predict(run, [tmp_path / "a.png"])
    [turned] = predict(run, [tmp_path / "b.png"], invert=True)
    assert plain.guesses == turned.guesses


def test_a_cropping_recipe_predicts_as_it_is_evaluated(pictures: Path, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=16, lr=0.05, crop=24)
    asked = Request(network="lenet-relu", data=f"folder:{pictures}", recipe=recipe)
    run = load_run(train(asked, RunFolder(tmp_path / "run"), Silent()).folder.path)
    checked = check(run, "training")
    dataset = load(f"folder:{pictures}")
    training, _ = split(dataset.train, recipe.validation)
    path = tmp_path / "first.png"
    Image.fromarray(training.images[0, 0].numpy()).save(path)
    [prediction] = predict(run, [path], top=3)
    expected = checked.evaluation.scores[0].softmax(0).sort(descending=True).values
    assert [g.probability for g in prediction.guesses] == pytest.approx(expected.tolist(), rel=1e-4)
