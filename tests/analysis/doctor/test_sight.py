import pytest
from ailing import runs
from torch import nn

from convatlas.analysis.doctor.case import case_of
from convatlas.analysis.doctor.sight import larger_than_input, single_pixels, single_values
from convatlas.capture.capture import capture
from convatlas.graph.propagate import propagate


def case(module: nn.Module, *shape: int, training: bool = False):
    graph = capture(module, shape, training=False)
    return case_of(graph, propagate(graph), training=training)


def test_a_single_pixel() -> None:
    """8x8 halved three times is 1x1; two layers with a kernel follow, the 1x1 is none."""
    down = [nn.Conv2d(4, 4, 3, 2, 1) for _ in range(3)]
    tail = [nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1), nn.MaxPool2d(3, 1, 1)]
    (found,) = single_pixels(case(nn.Sequential(*down, *tail), 1, 4, 8, 8))
    assert (found.weight, found.place) == ("warning", "3")
    assert found.says == (
        "a single pixel is left before 3, and 2 layers with a kernel work on it: 3, 5"
    )
    assert not list(single_pixels(case(nn.Sequential(*down, *tail), 1, 4, 9, 16)))
    (found,) = single_pixels(case(nn.Sequential(nn.Conv1d(4, 4, 3, padding=1)), 1, 4, 1))
    assert "a layer works on it" in found.says


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(4), nn.Sequential(nn.BatchNorm2d(4))])
def test_single_values(norm: nn.Module) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 4), norm)
    (note,) = single_values(case(module, 1, 3, 4, 4))
    (error,) = single_values(case(module, 1, 3, 4, 4, training=True))
    (two,) = single_values(case(module, 2, 3, 4, 4, training=True))
    assert [found.weight for found in (note, error, two)] == ["note", "error", "note"]
    assert not list(single_values(case(module, 1, 3, 5, 4, training=True)))
    # torch agrees in each case
    assert not runs(module, (1, 3, 4, 4), training=True)
    assert runs(module, (1, 3, 4, 4))
    assert runs(module, (2, 3, 4, 4), training=True)
    assert runs(module, (1, 3, 5, 4), training=True)


def test_dense_layers_with_batch_norm() -> None:
    module = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))
    (error,) = single_values(case(module, 1, 5, training=True))
    assert error.weight == "error"
    assert not runs(module, (1, 5), training=True)


def test_a_field_larger_than_the_picture() -> None:
    """Three 3x3 see 3, 5 and 7 pixels: on 6x6 the third sees more, on 7x7 none."""
    module = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(3)))
    (found,) = larger_than_input(case(module, 1, 1, 6, 6))
    assert (found.weight, found.place) == ("note", "2")
    assert "7×7 of 6×6" in found.says
    (found,) = larger_than_input(case(module, 1, 1, 9, 4))
    assert "5×5 of 9×4" in found.says
    assert not list(larger_than_input(case(module, 1, 1, 7, 7)))
    line = nn.Sequential(nn.Conv1d(1, 1, 9, padding=4))
    (found,) = larger_than_input(case(line, 1, 1, 8))
    assert "9 of 8" in found.says
