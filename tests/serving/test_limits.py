import pytest

from convatlas.data.decode import MOST_PIXELS
from convatlas.errors import UserError
from convatlas.serving.limits import Limits


def test_a_request_must_fit_into_the_queue() -> None:
    with pytest.raises(UserError, match="--max-pictures 5 can never fit into --queue 4"):
        Limits(max_pictures=5, queue=4)


def test_no_more_pixels_are_promised_than_are_decoded() -> None:
    with pytest.raises(UserError, match="--max-pixels"):
        Limits(max_pixels=MOST_PIXELS + 1)


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "0", "-1"])
def test_time_to_answer_is_a_number_above_0(given: str) -> None:
    with pytest.raises(UserError, match=f"^--timeout {given} is no time .* above 0 is expected$"):
        Limits(timeout=float(given))


@pytest.mark.parametrize("given", ["nan", "inf", "-1", "1001"])
def test_time_to_wait_for_others_is_a_number_of_milliseconds(given: str) -> None:
    with pytest.raises(UserError, match=f"^--max-wait {given} is no time .* from 0 to 1000 "):
        Limits(max_wait=float(given) / 1000)


def test_no_waiting_and_the_longest_are_taken() -> None:
    assert [Limits(max_wait=each).max_wait for each in (0, 1)] == [0, 1]
