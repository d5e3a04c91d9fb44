"""The recipes that come with ConvAtlas; each was chosen on the validation part alone."""

from pathlib import Path

from convatlas.errors import UserError
from convatlas.nearest import closest
from convatlas.training.recipe import Freeze, Recipe, read_toml
from convatlas.training.schedule import Cosine, OneCycle, Step, Triangular

BUILT_IN: tuple[Recipe, ...] = (
    # One pass over MNIST, made for lenet-bn; docs/training.md says how it was chosen.
    Recipe(
        name="sprint",
        epochs=1,
        batch=192,
        lr=0.3,
        schedule=Triangular(rise=0.2),
        label_smoothing=0.1,
        freeze=(Freeze(part="stage1", after=0.2), Freeze(part="stage2", after=0.7)),
        validation=0.05,
        channels_last=True,  # pays for this network on a CPU as well
    ),
    # The paper's 20 passes, pictures and loss. Departures: mini-batches with momentum
    # instead of single pictures with a diagonal second-order method.
    Recipe(
        name="lenet5",
        preprocess="ink",
        pad=2,
        loss="rbf-map",
        epochs=20,
        batch=64,
        lr=0.002,
        schedule=Step(at=(2, 5, 8, 12), factors=(0.4, 0.5, 0.5, 0.2)),  # the paper's proportions
    ),
    # Caffe's lenet_solver: 10,000 steps of 64 pictures. Departure: a cosine instead of its
    # rate (1 + 0.0001 step)^-0.75.
    Recipe(
        name="caffe",
        preprocess="unit",
        epochs=11,
        batch=64,
        lr=0.01,
        nesterov=False,
        weight_decay=0.0005,
        schedule=Cosine(),
    ),
    Recipe(name="steady", epochs=10, batch=128, lr=0.1, schedule=OneCycle()),
)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in BUILT_IN}

# The recipe a network is trained with when none is asked for.
USUAL: dict[str, str] = {"lenet5": "lenet5", "lenet-caffe": "caffe", "lenet-bn": "sprint"}


def recipe_for(network: str, wanted: str | None = None) -> Recipe:
    """A built-in recipe by name, one from a TOML file, or the network's usual one.

    Raises `UserError` for a name that is neither.
    """
    name = wanted or USUAL.get(network, "steady")
    if name in RECIPES:
        return RECIPES[name]
    if name.endswith(".toml"):
        return read_toml(Path(name))
    known = ", ".join(RECIPES)
    hint = closest(name, tuple(RECIPES))
    raise UserError(f"unknown recipe {name!r}{hint}; give one of {known}, or a .toml file")
