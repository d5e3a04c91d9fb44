import pytest

from convatlas.cli.int8 import share


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "100%"), (0.99999, "99.99%"), (2999 / 3000, "99.97%"), (0.97, "97.00%"), (0, "0.00%")],
)
def test_all_of_them_is_said_of_all_of_them_alone(value: float, said: str) -> None:
    assert share(value) == said
