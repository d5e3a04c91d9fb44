from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.training.folder import RunFolder, check_begun, check_run


def test_a_run_has_a_model_and_one_that_was_begun_a_checkpoint(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with pytest.raises(UserError, match=r"holds no model\.safetensors; is it a run folder\?"):
        check_run(tmp_path)
    with pytest.raises(UserError, match=r"nothing to resume: .* is not a run folder"):
        check_begun(tmp_path)
    folder.checkpoint.touch()
    check_begun(tmp_path)
    with pytest.raises(UserError, match=r"holds no model\.safetensors; it can be resumed"):
        check_run(tmp_path)
    folder.checkpoint.unlink()
    folder.model.touch()
    check_run(tmp_path)
    check_begun(tmp_path)


@pytest.mark.parametrize("name", ["none", "file", "x" * 300])
def test_what_is_no_folder_is_no_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="there is no run folder"):
        check_run(tmp_path / name)
