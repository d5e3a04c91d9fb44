from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convatlas
from convatlas.data.load import load
from convatlas.data.split import split
from convatlas.errors import UserError
from convatlas.runtime.engines import ENGINES, Maker
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.network import Array
from convatlas.training.check import check
from convatlas.training.loop import Silent
from convatlas.training.prepare import Request
from convatlas.training.recipe import Recipe
from convatlas.training.run import RunFolder, load_run
from convatlas.training.train import train
from convatlas.workbench.export import export
from convatlas.workbench.predict import Computing, predict


@pytest.fixture(scope="module")
def run(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(epochs=4, batch=16, lr=0.05)
    asked = Request(network="lenet-relu", data=f"folder:{pictures}", recipe=recipe)
    path = tmp_path_factory.mktemp("runs") / "run"
    return train(asked, RunFolder(path), Silent()).folder.path


@pytest.fixture(scope="module")
def bundle(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    [file] = export(str(run), out=tmp_path_factory.mktemp("bundles") / "b").files
    return file


def lit(side: int, mode: str = "L") -> Image.Image:
    """A picture whose left half is light, like the class ``left``."""
    pixels = np.full((side, side), 45, np.uint8)
    pixels[:, : side // 2] = 165
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("side", [14, 28, 100])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK", "P"])
def test_pictures_of_any_size_and_mode(side: int, mode: str, run: Path, tmp_path: Path) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    lit(side, mode).save(path)
    [prediction] = predict(run, [path], top=3)
    assert prediction.guesses[0].label == "left"
    assert len(prediction.guesses) == 3
    assert sum(guess.probability for guess in prediction.guesses) == pytest.approx(1)


def test_unreadable_files_are_named_and_the_rest_done(run: Path, tmp_path: Path) -> None:
    lit(28).save(tmp_path / "good.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    names = ["empty.png", "good.png", "text.png", "missing.png"]
    results = predict(run, [tmp_path / name for name in names], top=1)
    assert [bool(result.error) for result in results] == [True, False, True, True]
    assert [Path(result.path).name for result in results] == names
    assert results[1].guesses[0].label == "left"


def test_inverting_is_the_negative(run: Path, tmp_path: Path) -> None:
    lit(28).save(tmp_path / "a.png")
    Image.fromarray(255 - np.asarray(lit(28))).save(tmp_path / "b.png")
    [plain] = predict(run, [tmp_path / "a.png"])
    [turned] = predict(run, [tmp_path / "b.png"], invert=True)
    assert plain.guesses == turned.guesses


def test_a_cropping_recipe_predicts_as_it_is_evaluated(pictures: Path, tmp_path: Path) -> None:
    recipe = Recipe(epochs=1, batch=16, lr=0.05, crop=24)
    asked = Request(network="lenet-relu", data=f"folder:{pictures}", recipe=recipe)
    run = train(asked, RunFolder(tmp_path / "run"), Silent()).folder.path
    checked = check(load_run(run), "training")
    dataset = load(f"folder:{pictures}")
    training, _ = split(dataset.train, recipe.validation)
    path = tmp_path / "first.png"
    Image.fromarray(training.images[0, 0].numpy()).save(path)
    [prediction] = predict(run, [path], top=3)
    expected = checked.evaluation.scores[0].softmax(0).sort(descending=True).values
    assert [g.probability for g in prediction.guesses] == pytest.approx(expected.tolist(), rel=1e-4)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("batch", [None, 7])
def test_a_bundle_predicts_what_its_run_does(
    engine: str, batch: int | None, run: Path, bundle: Path, pictures: Path
) -> None:
    here = Computing(engine=engine, threads=1, batch=batch)
    ours, theirs = predict(bundle, pictures, computing=here), predict(run, pictures)
    assert len(ours) == 120
    assert [p.path for p in ours] == [p.path for p in theirs] == sorted(p.path for p in ours)
    for one, other in zip(ours, theirs, strict=True):
        assert [g.label for g in one.guesses] == [g.label for g in other.guesses]
        # softmax of scores that are equal to about 1e-6
        np.testing.assert_allclose(
            [g.probability for g in one.guesses],
            [g.probability for g in other.guesses],
            rtol=1e-4,
            atol=1e-6,
        )


def test_many_files_may_come_from_an_iterable(run: Path, pictures: Path) -> None:
    files = sorted((pictures / "left").iterdir())
    found = predict(run, iter(files), top=100)
    assert [p.path for p in found] == [str(file) for file in files]
    assert all(len(p.guesses) == 3 for p in found)
    by_pattern = convatlas.predict(run, str(pictures / "l*" / "0?.png"))
    assert [p.path for p in by_pattern] == [str(file) for file in files[:10]]


def test_what_cannot_be_is_said(run: Path, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown engine 'tpu'"):
        predict(run, "x.png", computing=Computing(engine="tpu"))
    with pytest.raises(UserError, match=r"there is no run folder .*nor a bundle"):
        predict(tmp_path / "none", "x.png")
    with pytest.raises(UserError, match=r"there is no file .*`convatlas export` makes one"):
        predict(tmp_path / "none.convatlas", "x.png")
    with pytest.raises(UserError, match="top is a number from 1, given 0"):
        predict(bundle, "x.png", top=0)
    with pytest.raises(UserError, match="batch is a number from 1, given -1"):
        predict(bundle, "x.png", computing=Computing(batch=-1))
    with pytest.raises(UserError, match="threads is a number from 1, given 0"):
        predict(bundle, "x.png", computing=Computing(threads=0))
    with pytest.raises(UserError, match="no engine 'tpu' runs a bundle; known: onnxruntime"):
        predict(bundle, "x.png", computing=Computing(engine="tpu"))


@pytest.mark.parametrize(("best", "times"), [("onnxruntime", 1), ("openvino", 0)])
def test_what_auto_chose_is_made_ready_if_it_can_be(
    best: str, times: int, bundle: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, kept = [], []
    monkeypatch.setattr(
        "convatlas.runtime.quickest.quickest",
        lambda path, *, threads, batch, tell: asked.append((path, threads, batch)) or best,
    )
    monkeypatch.setattr("convatlas.runtime.ready.keep_ready", kept.append)
    picture = next((pictures / "left").iterdir())
    predict(bundle, picture, computing=Computing(engine="auto", threads=1))
    assert asked == [(bundle, 1, 1)]
    assert kept == [bundle] * times


@pytest.mark.parametrize("engine", ["onnxruntime", "auto"])
def test_a_run_on_another_engine_gives_the_same(
    engine: str, run: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path))
    monkeypatch.setattr("convatlas.runtime.auto.available", lambda: ("eager", "onnxruntime"))
    files = sorted((pictures / "left").iterdir())[:5]
    here = Computing(engine=engine, threads=1, batch=2)  # the last one is filled up
    for plain, other in zip(predict(run, files), predict(run, files, computing=here), strict=True):
        assert [g.label for g in plain.guesses] == [g.label for g in other.guesses]
        for a, b in zip(plain.guesses, other.guesses, strict=True):
            assert a.probability == pytest.approx(b.probability, abs=1e-5)


def test_an_engine_of_a_run_is_held_against_torch(
    run: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is wrong, one cannot be built, one breaks when it is used; each is one line."""
    calls = 0

    def wrong(job: Job) -> Engine:
        return lambda pixels: job.network.eager(pixels) * 2

    def broken(job: Job) -> Engine:
        raise RuntimeError("out of\norder")

    def tiring(job: Job) -> Engine:
        def compute(pixels: Array) -> Array:
            nonlocal calls
            calls += 1
            if calls > 2:  # the examples it is compared on
                raise RuntimeError("out of\nmemory")
            return job.network.eager(pixels)

        return compute

    for name, build in (("tuned", wrong), ("compiled", broken), ("split", tiring)):
        monkeypatch.setitem(ENGINES, name, Maker(build=build))
    picture = next((pictures / "left").iterdir())
    for name, said in (
        (
            "tuned",
            r"engine tuned computes something else than lenet-relu by torch: .* at most 1e-04",
        ),
        ("compiled", "engine compiled cannot run lenet-relu: out of order"),
        ("split", "split cannot run lenet-relu on 1 pictures: out of memory"),
    ):
        with pytest.raises(UserError, match=said):
            predict(run, picture, computing=Computing(engine=name))


def test_a_computing_of_another_kind_is_named(run: Path) -> None:
    with pytest.raises(UserError, match=r"expected a convatlas\.Computing, given 'auto'"):
        predict(run, "x.png", computing="auto")  # type: ignore[arg-type]


def test_torch_breaking_off_is_one_line(
    run: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, pixels: Array) -> Array:
        raise RuntimeError("cannot\nallocate")

    monkeypatch.setattr("convatlas.runtime.network.Network.eager", full)
    with pytest.raises(UserError, match="torch cannot run lenet-relu on 1 pictures: cannot alloc"):
        predict(run, next((pictures / "left").iterdir()))
