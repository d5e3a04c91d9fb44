import pytest
from split_in_torch import register

from convatlas.runtime.engines import split
from convatlas.runtime.engines.split import library


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel where it runs, its equal in torch elsewhere."""
    if library.lacking() is None:
        library.load()
    else:
        register()
        monkeypatch.setattr(split, "load", lambda: None)
