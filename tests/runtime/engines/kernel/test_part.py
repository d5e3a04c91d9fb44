import pytest
from runnable import network
from torch import Tensor, nn

from convatlas.runtime.engines.engine import Job
from convatlas.runtime.engines.kernel.part import part
from convatlas.runtime.network import Network


@pytest.mark.parametrize(
    ("name", "batch", "expected"),
    [
        ("resnet20-cifar", 32, 4),
        ("resnet20-cifar", 6, 6),
        ("resnet20-cifar", 7, 7),  # no part divides it
        ("resnet20-cifar", 1, 1),
        ("lenet-relu", 32, 32),  # its weights are read for little work
    ],
)
def test_pictures_go_through_in_parts_that_fit_the_cache(
    name: str, batch: int, expected: int
) -> None:
    assert part(Job(network=network(name), batch=batch)) == expected


class Undecided(nn.Module):
    """Code that decides by the values of the picture, which no graph follows."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if float(x.mean()) > 0 else -x.flatten(1)


def test_pictures_of_a_network_whose_work_is_unknown_stay_together() -> None:
    unknown = Network(name="undecided", module=Undecided().eval(), shape=(3, 4, 4))
    assert part(Job(network=unknown, batch=8)) == 8
    assert part(Job(network=unknown)) == 1
