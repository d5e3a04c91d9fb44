import pytest
import torch
from kernel_in_torch import HERE
from runnable import network

from convatlas.runtime.engines.engine import Job
from convatlas.runtime.engines.kernel import lowered, plan, rewrite
from convatlas.runtime.network import random_pixels


@pytest.mark.parametrize(("name", "size"), [("googlenet", 96), ("se-resnet50", 64)])
def test_rooms_are_not_shared_while_they_are_read(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.from_numpy(random_pixels((1, 3, size, size)))
    job = Job(network=network(name, size))
    with torch.inference_mode():
        planned = lowered(job, HERE)(x)[0].clone()
        monkeypatch.setattr(rewrite, "plan", lambda module, kernel: None)
        assert torch.equal(lowered(job, HERE)(x)[0], planned)


def test_a_room_is_used_again_as_soon_as_it_is_free() -> None:
    rooms = plan._Rooms()
    first, second = rooms.take(100), rooms.take(50)
    rooms.free.add(first)
    assert rooms.take(80) == first
    rooms.free.add(second)
    assert rooms.take(120) == second  # made larger
    assert rooms.sizes == [100, 120]
