import pytest

from convatlas import models
from convatlas.errors import UserError
from convatlas.models.family import Task


def test_an_unknown_network_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'lenet5'"):
        models.create("lenet-5")
    with pytest.raises(UserError, match="unknown network 'zzz'; `convatlas list`"):
        models.create("zzz")


def test_a_task_is_noted_as_departure_only_where_it_departs() -> None:
    same = models.blueprint("lenet-caffe", Task(num_classes=10, in_channels=1, image_size=28))
    assert same.departures == ()
    other = models.blueprint("lenet-caffe", Task(num_classes=3, in_channels=3, image_size=32))
    assert other.departures == (
        "num classes 3, published as 10",
        "in channels 3, published as 1",
        "image size 32, published as 28",
    )


def test_what_a_network_does_not_have_cannot_be_set() -> None:
    with pytest.raises(UserError, match="lenet5 has no dropout"):
        models.create("lenet5", Task(dropout=0.5))


@pytest.mark.parametrize("name", models.names())
def test_every_entry_says_where_it_comes_from(name: str) -> None:
    variant = models.blueprint(name).variant
    assert 1989 <= variant.paper.year <= 2026
    assert variant.paper.authors
    assert variant.summary


@pytest.mark.parametrize("changes", [{"num_classes": 0}, {"in_channels": -1}])
def test_numbers_that_make_no_network_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="of resnet18 is 1 or more, given"):
        models.blueprint("resnet18", Task(**changes))
