import pytest

from convatlas.reports.provenance import machine_rows, recipe_groups
from convatlas.training.recipe import Recipe
from convatlas.training.run import load_run
from convatlas.training.schedule import Constant, OneCycle, Plateau, Step


def rows(recipe):
    pairs = [pair for group in recipe_groups(recipe) for pair in group.rows]
    return {name: value.replace("\N{NO-BREAK SPACE}", " ") for name, value in pairs}


def test_every_field_of_a_recipe_has_its_row():
    fields = set(Recipe.__struct_fields__) - {"name", "nesterov"}  # Nesterov: with the momentum
    assert len(rows(Recipe())) == len(fields)


def test_words():
    found = rows(Recipe(crop=24, shift=2, flip=True, validation=0.125, dropout=0.5, clip_norm=1))
    assert found["Random crop"] == "24 × 24"
    assert found["Random shift"] == "up to 2 px"
    assert found["Validation part"] == "12.5 %"
    assert found["Dropout"] == "50 %"
    assert found["Gradient norm"] == "at most 1"
    assert found["Momentum"] == "0.9, Nesterov’s"


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Constant(), "constant"),
        (Step(at=(2, 5), factors=(0.4, 0.5)), "step (at 2, 5; factors 0.4, 0.5)"),
        (Plateau(), "plateau (factor 0.1; patience 3)"),
        (OneCycle(), "one-cycle (rise 0.3; start 0.04; end 4e-06)"),
    ],
)
def test_schedules(schedule, text):
    assert rows(Recipe(schedule=schedule))["Schedule"] == text


@pytest.mark.parametrize(
    ("value", "text"), [("auto", "auto"), (True, "channels last"), (False, "channels first")]
)
def test_memory_layout(value, text):
    assert rows(Recipe(channels_last=value))["Memory layout"] == text


def test_machine(make_run):
    card = load_run(make_run().path).card
    found = dict(machine_rows(card))
    assert found["torch"] == "2.13.0"
    assert found["SHA-256 of the weights"] == card.weights_sha256
