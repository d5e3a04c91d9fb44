import dataclasses
import errno
import os
import shutil
from pathlib import Path

import msgspec
import pytest
import torch

from convatlas.data import load as data_load
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.errors import UserError
from convatlas.training import prepare as preparing
from convatlas.training.check import check
from convatlas.training.close import REASON, Finished
from convatlas.training.loop import Diverged, Silent
from convatlas.training.prepare import Request
from convatlas.training.recipe import Freeze, Recipe, read_toml
from convatlas.training.run import RunFolder, load_run, read_metrics
from convatlas.training.state import EpochRecord
from convatlas.training.train import resume, train

RECIPE = Recipe(name="short", epochs=2, batch=16, lr=0.05, validation=0.2)


ALL_FROZEN = tuple(Freeze(part=part, after=0.0) for part in ("stage1", "stage2", "head"))


class StopAt(Silent):
    """A watcher that wants to stop once a step is reached."""

    def __init__(self, at: int) -> None:
        self.at, self.asked = at, 0

    def wants_stop(self) -> bool:
        self.asked += 1
        return self.asked >= self.at


def request(pictures: Path, *, recipe: Recipe = RECIPE, network: str = "lenet-relu") -> Request:
    return Request(network=network, data=f"folder:{pictures}", recipe=recipe)


def weights(finished: Finished) -> dict[str, torch.Tensor]:
    return load_run(finished.folder.path).model.state_dict()


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_a_run_learns_and_leaves_its_files(pictures: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    finished = train(request(pictures), folder, Silent())
    assert finished.test is not None
    assert finished.test.error <= 0.1  # three classes: 0.67 by chance
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "evaluation.safetensors",
        "metrics.jsonl",
        "model.safetensors",
        "recipe.toml",
    ]
    assert read_toml(folder.recipe) == RECIPE
    metrics = read_metrics(folder)
    assert [record.epoch for record in metrics] == [1, 2]
    for record in metrics:
        assert len(record.losses) == len(record.rates) == 5  # a point for each of the five steps
        assert sum(record.losses) / 5 == pytest.approx(record.train_loss)
    card = load_run(folder.path).card
    assert card == finished.card
    assert card.status == "finished"
    assert card.step == card.steps == len(finished.history) * 5  # 77 pictures, batches of 16
    assert card.selected_on == "validation"


def test_the_test_part_is_opened_once_after_the_last_step(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    class Note(Silent):
        def step(self, done: int, total: int, loss: float) -> None:
            happened.append(f"step {done} of {total}")

    def noting(name: str, *, size: int | None = None) -> Dataset:
        dataset = data_load.load(name, size=size)

        def read() -> Pictures:
            happened.append("test opened")
            return dataset.test.open("inner")

        return dataclasses.replace(dataset, test=SealedTest(read))

    monkeypatch.setattr(preparing, "load", noting)
    finished = train(request(pictures), RunFolder(tmp_path / "run"), Silent())
    assert happened == ["test opened"]
    happened.clear()
    finished = train(request(pictures), RunFolder(tmp_path / "again"), Note())
    assert happened[-1] == "test opened"
    assert happened.count("test opened") == 1
    assert [opening.by for opening in finished.card.test_openings] == [REASON]


def test_selecting_on_the_test_set_is_on_the_card(pictures: Path, tmp_path: Path) -> None:
    asked = dataclasses.replace(request(pictures), select_on_test=True)
    finished = train(asked, RunFolder(tmp_path / "run"), Silent())
    assert finished.card.selected_on == "test"
    assert len(finished.card.test_openings) == 1
    assert "--select-on-test" in finished.card.test_openings[0].by
    assert finished.card.test == finished.card.validation


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    pictures: Path, tmp_path: Path
) -> None:
    first = weights(train(request(pictures), RunFolder(tmp_path / "a"), Silent()))
    second = weights(train(request(pictures), RunFolder(tmp_path / "b"), Silent()))
    assert_same(first, second)
    other = dataclasses.replace(request(pictures), seed=1)
    third = weights(train(other, RunFolder(tmp_path / "c"), Silent()))
    assert not torch.equal(first["head.1.weight"], third["head.1.weight"])


@pytest.mark.parametrize("stop_at", [1, 3, 5, 9])
def test_a_stopped_run_can_be_used_and_resumes_bit_for_bit(
    stop_at: int, pictures: Path, tmp_path: Path
) -> None:
    recipe = msgspec.structs.replace(RECIPE, dropout=0.5, shift=2, keep="best")
    asked = request(pictures, recipe=recipe)
    undisturbed = train(asked, RunFolder(tmp_path / "whole"), Silent())
    folder = RunFolder(tmp_path / "stopped")
    stopped = train(asked, folder, StopAt(stop_at))
    assert stopped.card.status == "interrupted"
    assert stopped.test is None
    assert stopped.card.test_openings == ()
    assert load_run(folder.path).card.step < stopped.card.steps
    resumed = resume(folder, Silent())
    assert_same(weights(undisturbed), weights(resumed))
    assert resumed.card.test == undisturbed.card.test
    strip = [msgspec.structs.replace(r, seconds=0, images_per_second=0) for r in resumed.history]
    assert strip == [
        msgspec.structs.replace(r, seconds=0, images_per_second=0) for r in undisturbed.history
    ]
    assert not folder.checkpoint.exists()


def test_a_loss_that_is_not_finite_names_step_and_rate_and_leaves_nothing(
    pictures: Path, tmp_path: Path
) -> None:
    recipe = msgspec.structs.replace(RECIPE, lr=1e6)
    with pytest.raises(Diverged, match=r"at step \d+ of 10 with learning rate 1e\+06; lower it"):
        train(request(pictures, recipe=recipe), RunFolder(tmp_path / "run"), Silent())
    assert not (tmp_path / "run").exists()


def test_a_divergence_after_an_epoch_keeps_what_was_measured(
    pictures: Path, tmp_path: Path
) -> None:
    class Poison(Silent):
        """Make the next loss infinite once an epoch is done."""

        def epoch(self, record: EpochRecord) -> None:
            model.head[-1].bias.data.fill_(float("nan"))

    folder = RunFolder(tmp_path / "run")
    setting = preparing.prepare(request(pictures))
    model = setting.blueprint.build()
    built = dataclasses.replace(
        setting.blueprint,
        family=dataclasses.replace(setting.blueprint.family, build=lambda _: model),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "convatlas.training.train.prepare",
            lambda _: dataclasses.replace(setting, blueprint=built),
        )
        with pytest.raises(Diverged, match="not finite after step 5"):
            train(request(pictures), folder, Poison())
    assert [record.epoch for record in read_metrics(folder)] == [1]
    assert not folder.checkpoint.exists()
    kept = load_run(folder.path)
    assert kept.card.status == "diverged"
    assert kept.card.test_openings == ()
    assert all(value.isfinite().all() for value in kept.model.state_dict().values())
    with pytest.raises(UserError, match="diverged, and would again"):
        resume(folder, Silent())


def test_a_full_disk_is_one_line_and_leaves_nothing(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot write .*: No space left on device"):
        train(request(pictures), RunFolder(tmp_path / "run"), Silent())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_not_written_to(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="already holds files"):
        train(request(pictures), RunFolder(tmp_path), Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "lenet9"}, "unknown network 'lenet9'"),
        ({"data": "mnits"}, "unknown data set 'mnits'; did you mean 'mnist'"),
        ({"device": "cuda:99"}, "no device 'cuda:99' on this machine; usable: auto, cpu"),
        ({"network": "lenet5"}, "3 classes; use lenet-relu"),
        ({"size": 8}, "pictures of 8x8 leave nothing"),
        ({"recipe": msgspec.structs.replace(RECIPE, crop=40)}, "crop 40 is larger"),
        ({"recipe": msgspec.structs.replace(RECIPE, dropout=0.1)}, None),
        ({"seed": 2**70}, "a seed is a whole number"),
        ({"seed": -1}, "a seed is a whole number"),
        ({"device": "meta"}, "no device 'meta'"),
        ({"network": "lenet-bn", "recipe": Recipe(batch=1)}, "two pictures in every batch"),
        ({"recipe": Recipe(freeze=(Freeze(part="body", after=0.5),))}, "freezes 'body'"),
        ({"recipe": Recipe(freeze=ALL_FROZEN)}, "freezes every part"),
        ({"recipe": Recipe(epochs=0)}, "Expected `int` >= 1, in `epochs`"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    changes: dict[str, object], message: str | None, pictures: Path, tmp_path: Path
) -> None:
    asked = dataclasses.replace(request(pictures), **changes)
    if message is None:  # the control: this one is fine
        train(asked, RunFolder(tmp_path / "run"), Silent())
        return
    with pytest.raises(UserError, match=message) as caught:
        train(asked, RunFolder(tmp_path / "run"), Silent())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_resuming_what_cannot_be_resumed(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        resume(RunFolder(tmp_path / "none"), Silent())
    finished = train(request(pictures), RunFolder(tmp_path / "run"), Silent())
    with pytest.raises(UserError, match="is finished"):
        resume(finished.folder, Silent())


def test_resuming_on_changed_data_is_refused(pictures: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pictures, copy)
    folder = RunFolder(tmp_path / "run")
    train(request(copy), folder, StopAt(2))
    (copy / "left" / "00.png").write_bytes((copy / "top" / "00.png").read_bytes())
    with pytest.raises(UserError, match="has changed since"):
        resume(folder, Silent())


def test_clipping_keeps_gradients_short(pictures: Path, tmp_path: Path) -> None:
    # With a tiny limit on the gradient's length the weights can move no further than lr * limit.
    recipe = Recipe(
        epochs=1, batch=200, lr=1.0, momentum=0.0, nesterov=False, clip_norm=1e-3, validation=0.2
    )
    asked = request(pictures, recipe=recipe)
    torch.manual_seed(asked.seed)
    before = preparing.prepare(asked).blueprint.build().state_dict()
    after = weights(train(asked, RunFolder(tmp_path / "run"), Silent()))
    moved = torch.cat([(after[name] - before[name]).flatten() for name in before]).norm()
    assert 0 < moved <= 1.001e-3


def test_a_data_set_in_hand_trains_as_by_name(pictures: Path, tmp_path: Path) -> None:
    by_name = train(request(pictures), RunFolder(tmp_path / "a"), Silent())
    dataset = dataclasses.replace(data_load.load(f"folder:{pictures}"), name="mine")
    asked = dataclasses.replace(request(pictures), data=dataset)
    in_hand = train(asked, RunFolder(tmp_path / "b"), Silent())
    assert_same(weights(by_name), weights(in_hand))
    assert in_hand.card.data.name == "mine"
    run = load_run(in_hand.folder.path)
    with pytest.raises(UserError, match="unknown data set 'mine'"):
        check(run)
    assert check(run, data=dataset).evaluation.errors == in_hand.card.test.errors


def test_openings_before_a_resumption_stay_on_the_card(pictures: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    train(request(pictures), folder, StopAt(3))
    check(load_run(folder.path))  # somebody looks at the test set, then trains on
    resumed = resume(folder, Silent())
    assert [opening.by for opening in resumed.card.test_openings] == ["eval", REASON]


def test_openings_for_selection_are_counted_by_process(pictures: Path, tmp_path: Path) -> None:
    asked = dataclasses.replace(request(pictures), select_on_test=True)
    folder = RunFolder(tmp_path / "run")
    train(asked, folder, StopAt(3))
    card = resume(folder, Silent()).card
    assert card.selected_on == "test"
    assert card.test_openings
    assert all("--select-on-test" in opening.by for opening in card.test_openings)


def test_an_unreadable_test_part_leaves_a_run_that_can_be_used_and_closed(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable() -> Pictures:
        raise UserError("the test part cannot be read")

    def broken(name: str, *, size: int | None = None) -> Dataset:
        return dataclasses.replace(data_load.load(name, size=size), test=SealedTest(unreadable))

    folder = RunFolder(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "load", broken)
        with pytest.raises(UserError, match="cannot be read"):
            train(request(pictures), folder, Silent())
    run = load_run(folder.path)
    assert run.card.status == "untested"
    assert [opening.by for opening in run.card.test_openings] == [REASON]  # noted all the same
    closed = resume(folder, Silent())
    assert closed.card.status == "finished"
    assert closed.card.step == run.card.step
    assert [opening.by for opening in closed.card.test_openings] == [REASON, REASON]
    assert_same(weights(closed), run.model.state_dict())


def test_a_failure_before_the_first_step_leaves_what_was_there(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("convatlas.training.train.fresh_state", fail)
    (tmp_path / "mine").mkdir()
    for path in (tmp_path / "mine", tmp_path / "deep" / "er"):
        with pytest.raises(RuntimeError):
            train(request(pictures), RunFolder(path), Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert list((tmp_path / "mine").iterdir()) == []


def test_weights_that_blow_up_in_the_last_step_are_not_tested(
    pictures: Path, tmp_path: Path
) -> None:
    recipe = Recipe(epochs=1, batch=200, lr=1e9, weight_decay=1e9, validation=0.2)
    with pytest.raises(Diverged, match="scores are not finite after step 1"):
        train(request(pictures, recipe=recipe), RunFolder(tmp_path / "run"), Silent())


def test_mean_image_goes_with_crops(pictures: Path, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, preprocess="mean-image", crop=24, epochs=1)
    finished = train(request(pictures, recipe=recipe), RunFolder(tmp_path / "run"), Silent())
    assert finished.card.network.image_size == 24


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(4, 1, 28, 28), torch.zeros(4).long(), "uint8 tensor"),
        (torch.zeros(4, 1, 28, 28).byte(), torch.zeros(3).long(), "one value for each of the 4"),
        (torch.zeros(4, 1, 28, 28).byte(), torch.full((4,), 9), "labels run from 9 to 9"),
        (torch.zeros(0, 1, 28, 28).byte(), torch.zeros(0).long(), "holds no picture"),
    ],
)
def test_malformed_data_in_hand(
    images: torch.Tensor, labels: torch.Tensor, message: str, pictures: Path, tmp_path: Path
) -> None:
    dataset = data_load.load(f"folder:{pictures}")
    malformed = dataclasses.replace(dataset, train=Pictures(images, labels))
    with pytest.raises(UserError, match=message):
        train(
            dataclasses.replace(request(pictures), data=malformed),
            RunFolder(tmp_path / "r"),
            Silent(),
        )


def test_openings_of_a_set_in_hand_by_others_are_not_this_runs(
    pictures: Path, tmp_path: Path
) -> None:
    dataset = data_load.load(f"folder:{pictures}")
    asked = dataclasses.replace(request(pictures), data=dataset)
    for number in range(2):
        finished = train(asked, RunFolder(tmp_path / str(number)), Silent())
        assert len(finished.card.test_openings) == 1
    assert len(dataset.test.openings) == 2
