import pytest

from convatlas.errors import UserError
from convatlas.runtime.engine_names import NAMES, check_name
from convatlas.runtime.engines import ENGINES


def test_the_names_are_those_of_the_engines() -> None:
    assert tuple(ENGINES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_is_known(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["openvin", "", "openvino@1"])
def test_others_are_not(name: str) -> None:
    with pytest.raises(UserError, match=r"unknown engine '.*known: eager, "):
        check_name(name)
