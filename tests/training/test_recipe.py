from pathlib import Path

import pytest

from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.load import load
from convatlas.errors import UserError
from convatlas.models import lenet
from convatlas.training.loop import Silent
from convatlas.training.prepare import Request
from convatlas.training.recipe import Recipe, changed, read_toml, to_toml
from convatlas.training.recipes import RECIPES, USUAL, recipe_for
from convatlas.training.run import RunFolder
from convatlas.training.schedule import Step
from convatlas.training.train import train


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_survives_its_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(RECIPES[name]))
    assert read_toml(path) == RECIPES[name]


def test_a_file_without_a_name_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "quick.toml"
    path.write_text("epochs = 2\n[schedule]\nkind = 'step'\nat = [1]\nfactors = [0.5]\n")
    recipe = read_toml(path)
    assert recipe.name == "quick"
    assert recipe.schedule == Step(at=(1,), factors=(0.5,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochs = 0", r"Expected `int` >= 1, in `epochs`"),
        ("lr = inf", "in `lr`"),
        ("lr = nan", "in `lr`"),
        ("weight_decay = inf", "in `weight_decay`"),
        ("[schedule]\nkind = 'step'\nat = [1]\nfactors = [nan]", "in `schedule.factors"),
        ("[schedule]\nkind = 'plateau'\npatience = 0", "in `schedule.patience`"),
        ("[schedule]\nkind = 'one-cycle'\nrise = 7", "in `schedule.rise`"),
        ("lr = 'fast'", "in `lr`"),
        ("epoch = 3", "unknown field `epoch`"),
        ("[schedule]\nkind = 'zigzag'", "zigzag"),
        ("momentum = 0", "nesterov needs a momentum"),
        ("validation = 0\nkeep = 'best'", "need a validation part"),
        ("loss = 'rbf-map'\nlabel_smoothing = 0.1", "label smoothing"),
        ("epochs = ", "cannot read the recipe"),
    ],
)
def test_a_wrong_recipe_file_is_one_clear_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message) as caught:
        read_toml(path)
    assert "\n" not in str(caught.value)
    assert "r.toml" in str(caught.value)


def test_a_missing_recipe_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no recipe file"):
        recipe_for("lenet5", str(tmp_path / "none.toml"))


def test_an_unknown_recipe_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'sprint'"):
        recipe_for("lenet5", "sprnt")


def test_a_changed_recipe_says_so_in_its_name() -> None:
    assert changed(Recipe(name="a"), {}) == Recipe(name="a")
    assert changed(Recipe(name="a"), {"lr": 0.5}) == Recipe(name="a with lr 0.5", lr=0.5)
    with pytest.raises(UserError, match="batch"):
        changed(Recipe(), {"batch": -1})


def test_usual_recipes_exist() -> None:
    assert set(USUAL.values()) <= set(RECIPES)


@pytest.mark.slow
@pytest.mark.parametrize("network", lenet.FAMILY.variants)
def test_every_networks_usual_recipe_starts_to_learn_mnist(network: str, tmp_path: Path) -> None:
    # A fifth of the training set, real steps at the full rate: a recipe that diverges is caught.
    whole = load("mnist")
    few = Pictures(whole.train.images[:12_000], whole.train.labels[:12_000])
    test = SealedTest(lambda: Pictures(whole.train.images[-500:], whole.train.labels[-500:]))
    data = Dataset("mnist", whole.classes, few, test, {})
    epochs = 6 if network == "lenet-sigmoid" else 2  # sigmoids sit on a plateau first
    recipe = changed(recipe_for(network), {"epochs": epochs})
    request = Request(network=network, data=data, recipe=recipe)
    finished = train(request, RunFolder(tmp_path / "run"), Silent())
    assert finished.validation is not None
    assert finished.validation.error < 0.5  # 0.9 by chance
