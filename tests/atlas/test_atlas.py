from convatlas import atlas, models
from convatlas.atlas import __main__ as build


def test_the_atlas_is_up_to_date() -> None:
    assert build.PATH.read_text(encoding="utf-8") == build.document(), "run `make atlas`"


def test_entries_are_the_networks_in_order() -> None:
    assert tuple(entry.name for entry in atlas.entries()) == models.names()
