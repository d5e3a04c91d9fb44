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
