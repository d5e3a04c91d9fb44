import pytest
from kernel_in_torch import HERE, register

from convatlas.runtime.engines import kernel
from convatlas.runtime.engines.kernel.library import lacking


@pytest.fixture(autouse=True)
def kernel_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel where it runs, its equal in torch elsewhere."""
    if lacking(HERE) is not None:
        register(HERE)
        monkeypatch.setattr(kernel, "load", lambda _: None)
