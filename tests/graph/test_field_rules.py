"""Axes of the picture through operations that move them about."""

import random

import pytest
from linearised import mask, support
from moved_axes import MOVES, Through

from convatlas.capture.capture import capture
from convatlas.graph.document import OPERATIONS
from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.field_rules import RULES
from convatlas.graph.propagate import propagate
from convatlas.graph.reads import reads
from convatlas.graph.source import Input


def test_every_operation_has_a_rule() -> None:
    assert set(OPERATIONS.values()) - {Input} == set(RULES)


def after(what: str) -> Field | None:
    graph = capture(Through(what).eval(), (1, 2, 8, 8))
    return fields(graph, propagate(graph))[graph.outputs[0][1]]


# Where rows and columns of the picture are afterwards (-1: read as a whole), and what is seen.
EXPECTED = {
    "tokens": ((-1, -1), (3, 3)),  # in digits, see test_field_split
    "last": ((1, 2), (3, 3)),
    "row": ((-1, 2), (3, 3)),
    "rolled": ((2, 3), (3, 3)),  # the edge that it comes around is a border
    "stacked": ((-1, 3), (8, 3)),
    "product": ((-1, -1), (8, 8)),
    "turned": ((-1, -1), (8, 8)),
    "einsum": ((1, 2), (3, 3)),
    "softmax": ((2, -1), (3, 8)),
    "stretched": ((-1, 3), (3, 3)),
    "column_mean": ((-1, 2), (8, 3)),
    "squeezed": ((1, 2), (3, 3)),
}


@pytest.mark.parametrize("what", EXPECTED)
def test_axes_are_followed(what: str) -> None:
    field = after(what)
    assert field is not None
    assert (field.dims, field.size) == EXPECTED[what]


def test_a_row_that_is_picked_starts_there() -> None:
    field = after("row")
    assert field is not None
    assert (field.axes[0].low, field.axes[0].high) == (3, 5)


def test_windows_keep_the_place_within_beside_the_channels() -> None:
    field = after("windows")
    assert field is not None
    assert (field.local, field.size) == (True, (3, 3))


def test_what_reads_nothing_has_no_field() -> None:
    assert after("nothing") is None


def outside(index: tuple[int, ...], field: Field) -> tuple[int, int]:
    """The position of a value, as `reads` counts them."""
    row, column = (index[dim] if dim >= 0 else 0 for dim in field.dims)
    return row, column


@pytest.mark.parametrize("what", MOVES)
def test_nothing_with_a_gradient_is_missing(what: str) -> None:
    """Where positions cannot be followed exactly more is said to be read, never less."""
    module, shape, draw = Through(what).double().eval(), (1, 2, 8, 8), random.Random(0)
    graph = capture(module, shape)
    made = propagate(graph)
    node = graph.outputs[0][1]
    field = fields(graph, made)[node]
    assert field is not None
    for _ in range(12):
        index = tuple(draw.randrange(size) for size in made.shapes[node])
        found = support(module, shape, lambda out, index=index: out[index])
        read = mask(reads(graph, made, node, outside(index, field)).rows, 8, 8)
        assert bool((read | ~found).all()), index
