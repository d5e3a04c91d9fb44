import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from convatlas.runtime.ahead import ahead


def test_results_come_in_order_whatever_takes_longest() -> None:
    def work(item: int) -> int:
        time.sleep(0.001 * (item % 3))
        return item * item

    found = list(ahead(work, range(100), workers=4, window=8))
    assert found == [item * item for item in range(100)]
    assert list(ahead(work, [], workers=1, window=1)) == []


@pytest.mark.parametrize("window", [1, 5])
@pytest.mark.parametrize("took", [1, 3])
def test_no_more_is_begun_than_the_window_holds(window: int, took: int) -> None:
    drawn: list[int] = []
    begun: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            drawn.append(item)
            yield item

    def work(item: int) -> int:
        begun.append(item)
        return item

    results = ahead(work, items(), workers=2, window=window)
    taken = [next(results) for _ in range(took)]
    time.sleep(0.3)  # time in which it could run on
    counts = len(begun), len(drawn)
    results.close()
    assert taken == list(range(took))
    assert counts == (len(taken) + window, len(taken) + window + 1)


def test_a_result_does_not_wait_for_the_next_item() -> None:
    more = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        more.wait(10)
        yield 2

    results = ahead(lambda item: item, items(), workers=1, window=4)
    assert next(results) == 1
    assert not more.is_set()
    more.set()
    assert list(results) == [2]


def test_what_fails_is_raised_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    results = ahead(lambda item: item, items(), workers=1, window=4)
    assert next(results) == 1
    with pytest.raises(OSError, match="no more"):
        next(results)

    def work(item: int) -> int:
        return 1 // item

    results = ahead(work, [1, 0, 1], workers=2, window=4)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_closing_ends_the_threads() -> None:
    results = ahead(lambda item: item, itertools.count(), workers=2, window=4)
    assert next(results) == 0
    results.close()
    for _ in range(100):
        left = [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]
        if not left:
            break
        time.sleep(0.05)
    assert not left
