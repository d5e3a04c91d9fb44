from pathlib import Path

from convatlas.atlas import entries
from convatlas.atlas.page import page

PAGE = Path(__file__).parents[2] / "docs" / "networks.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make atlas`"


def test_every_network_has_a_row() -> None:
    text = page()
    assert all(f"| `{entry.name}` |" in text for entry in entries())
