import pytest

from convatlas.claims.measure import Bench
from convatlas.errors import UserError


def test_each_network_is_read_once() -> None:
    bench = Bench()
    assert bench.network("lenet5") is bench.network("lenet5")
    assert bench.network("googlenet")[0] is not bench.network("googlenet", training=True)[0]


def test_another_size() -> None:
    graph, made = Bench().network("vgg16-bn", size="448")
    assert made.measures[graph.picture].shape == (1, 3, 448, 448)


def test_unknown_networks_get_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'lenet5'"):
        Bench().network("lenet55")
