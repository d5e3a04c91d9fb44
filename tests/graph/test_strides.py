import random

import pytest
import torch
from torch import Tensor

from convatlas.graph.strides import (
    channels_last,
    contiguous,
    dense,
    is_channels_last,
    is_contiguous,
    viewed,
)


def scattered(draw: random.Random) -> Tensor:
    """A small tensor, its axes in any order, some cut, repeated or added."""
    tensor = torch.zeros([draw.choice((1, 2, 3, 4, 6)) for _ in range(draw.randint(1, 4))])
    for _ in range(draw.randint(0, 3)):
        axis = draw.randrange(tensor.dim())
        change = draw.choice(("permute", "cut", "step", "new", "repeat"))
        if change == "permute":
            tensor = tensor.permute(draw.sample(range(tensor.dim()), tensor.dim()))
        elif change == "cut" and tensor.shape[axis] > 1:
            tensor = tensor.narrow(axis, 0, tensor.shape[axis] - 1)
        elif change == "step":
            tensor = tensor[(slice(None),) * axis + (slice(None, None, 2),)]
        elif change == "new":
            tensor = tensor.unsqueeze(axis)
        elif tensor.shape[axis] == 1:
            tensor = tensor.expand([3 if a == axis else -1 for a in range(tensor.dim())])
    return tensor


def other_shape(count: int, draw: random.Random) -> tuple[int, ...]:
    shape = []
    while count > 1 and len(shape) < 4:
        part = draw.choice([n for n in range(1, count + 1) if count % n == 0])
        shape.append(part)
        count //= part
    shape.append(count)
    draw.shuffle(shape)
    return tuple(shape)


def moving(strides: tuple[int, ...], shape: tuple[int, ...]) -> list[int]:
    """Strides of the axes where they matter."""
    return [stride for stride, size in zip(strides, shape, strict=True) if size > 1]


@pytest.mark.parametrize("seed", range(400))
def test_a_view_is_possible_and_lies_as_torch_says(seed: int) -> None:
    draw = random.Random(seed)
    tensor = scattered(draw)
    wanted = other_shape(tensor.numel(), draw)
    found = viewed(tuple(tensor.shape), tensor.stride(), wanted)
    try:
        expected = tensor.view(wanted).stride()
    except RuntimeError:
        assert found is None
        return
    assert found is not None
    assert moving(found, wanted) == moving(expected, wanted)


@pytest.mark.parametrize("seed", range(200))
def test_contiguity_as_torch_says(seed: int) -> None:
    tensor = scattered(random.Random(seed))
    shape = tuple(tensor.shape)
    assert is_contiguous(shape, tensor.stride()) == tensor.is_contiguous()
    assert contiguous(shape) == torch.zeros(shape).stride()


@pytest.mark.parametrize("seed", range(300))
def test_what_is_made_value_by_value_lies_as_torch_lays_it(seed: int) -> None:
    draw = random.Random(seed)
    tensor = scattered(draw)
    shape = tuple(tensor.shape)
    order = draw.sample(range(tensor.dim()), tensor.dim())
    back = [order.index(axis) for axis in range(tensor.dim())]
    other = torch.zeros([shape[axis] for axis in order]).permute(back)
    alone, both = torch.neg(tensor), tensor + other
    operands = [(shape, tensor.stride()), (shape, other.stride())]
    assert moving(dense(shape, operands[:1]), shape) == moving(alone.stride(), shape)
    assert moving(dense(shape, operands), shape) == moving(both.stride(), shape)


def test_a_smaller_operand_is_stretched() -> None:
    picture = torch.zeros(2, 5, 4, 3).permute(0, 3, 1, 2)
    scale = torch.zeros(3, 1, 1)
    found = dense((2, 3, 5, 4), [((2, 3, 5, 4), picture.stride()), ((3, 1, 1), scale.stride())])
    assert found == (picture * scale).stride()


def test_channels_last_as_torch_lays_and_tells_it() -> None:
    for shape in ((2, 3, 4, 5), (1, 3, 2, 1), (2, 3, 2, 4, 5)):
        memory = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
        laid = torch.empty(shape, memory_format=memory).stride()
        assert channels_last(shape) == laid
        assert is_channels_last(shape, laid)
    assert not is_channels_last((2, 3, 4, 5), contiguous((2, 3, 4, 5)))
    assert not is_channels_last((3, 4), (1, 3))
