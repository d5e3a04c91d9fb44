import re
from pathlib import Path

import pytest

import convatlas

SOURCE = Path(convatlas.__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [n for n in convatlas.__all__ if n != "__version__"])
def test_every_public_name_is_there_and_known_to_type_checkers(name: str) -> None:
    assert getattr(convatlas, name).__name__ == name
    assert re.search(rf"import {name} as {name}$", SOURCE, re.MULTILINE)


def test_public_names_are_pinned() -> None:
    assert sorted(convatlas.__all__) == [
        *("Computing", "Dataset", "Form", "Given", "How", "Int8", "Options", "Pictures", "Recipe"),
        *("SealedTest", "Task", "UserError"),
        *("__version__", "bench", "blueprint", "compare", "create", "diff", "doctor", "evaluate"),
        "export",
        *("fastest", "features", "field", "load", "load_run", "load_weights", "predict"),
        *("recipe_for", "report", "resume", "save_weights", "show", "sweep", "train"),
        "train_seeds",
    ]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = convatlas.trian
