from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.runtime import threads
from convatlas.runtime.threads import TIMES, check_threads, processors, quota


def test_a_container_counts_the_processors_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quota("max 100000\n") is None
    assert [quota(f"{n} 100000") for n in (1000, 100000, 150000, 400000)] == [1, 1, 2, 4]
    monkeypatch.setattr(threads, "QUOTA", tmp_path / "cpu.max")
    every = processors()
    assert every >= 1
    for said, count in (("100000 100000", 1), ("max 100000", every), ("broken", every)):
        (tmp_path / "cpu.max").write_text(said)
        assert processors() == count


@pytest.mark.parametrize(("there", "words"), [(1, "1 processor;"), (3, "3 processors;")])
def test_the_bound_is_named(there: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: there)
    check_threads(None)
    check_threads(1)
    check_threads(TIMES * there)
    check_threads(there, times=1)
    for count, times in ((TIMES * there + 1, TIMES), (there + 1, 1), (10**20, TIMES)):
        said = f"{count} threads would wait for one another on {words} give {times * there} at most"
        with pytest.raises(UserError, match=f"^{said}$"):
            check_threads(count, times)
    with pytest.raises(UserError, match="threads is a number from 1, given 0"):
        check_threads(0)
