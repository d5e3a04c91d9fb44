from pathlib import Path

import pytest

from convatlas.checkpoints.file_names import check_weights
from convatlas.errors import UserError


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_a_file_that_is_there_passes_whatever_is_in_it(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"w{suffix}"
    with pytest.raises(UserError, match=f"there is no file .*w{suffix}$"):
        check_weights(path)
    path.touch()
    check_weights(path)


def test_a_name_of_another_kind_is_refused_with_those_that_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "w.bin"
    path.touch()
    with pytest.raises(UserError, match=r"w\.bin is not .* expected one of \.pth, \.pt, \.safe"):
        check_weights(path)
