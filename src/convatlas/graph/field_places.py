"""A field where the axes of the tensor go to other places, move along, or are slid over."""

from collections.abc import Sequence

from convatlas.graph.field_axes import Axis, Field, Move, absorbed, offset, slid
from convatlas.graph.field_split import moved, settled
from convatlas.graph.operation import Shape


def shifted(field: Field, by: int) -> Field:
    """The same under so many new axes in front."""
    if by == 0:
        return field
    if field.split is not None:
        return moved(field, {dim: dim + by for dim, _ in field.split.grid})
    return field._replace(dims=tuple(dim + by if dim >= 0 else dim for dim in field.dims))


def renumbered(field: Field, shape: Shape, places: dict[int, int]) -> Field:
    """Tensor axes go to new places; one that goes nowhere is read as a whole."""
    if field.split is not None:
        return moved(field, places)
    axes: list[Axis] = []
    dims: list[int] = []
    for axis, dim in zip(field.axes, field.dims, strict=True):
        gone = dim >= 0 and dim not in places
        axes.append(absorbed(axis, shape[dim]) if gone else axis)
        dims.append(-1 if dim < 0 or gone else places[dim])
    return Field(tuple(axes), tuple(dims), not any(axis.whole for axis in axes))


def spread(field: Field, shape: Shape, each: Sequence[Move | None]) -> Field:
    """Windows over the last axes; the axis before them is mixed; ``None``: read as a whole."""
    field = settled(field)
    first = len(shape) - len(each)
    axes: list[Axis] = []
    dims: list[int] = []
    for axis, dim in zip(field.axes, field.dims, strict=True):
        window = each[dim - first] if dim >= first else None
        if dim < 0 or dim < first - 1:
            axes.append(axis)
            dims.append(dim)
        elif window is None:
            axes.append(absorbed(axis, shape[dim]))
            dims.append(-1)
        else:
            axes.append(slid(axis, window))
            dims.append(dim)
    return Field(tuple(axes), tuple(dims), not any(axis.whole for axis in axes))


def started(field: Field, by: dict[int, int]) -> Field:
    """The first position is a later one; digits are not followed through that."""
    if field.split is not None:
        return settled(field) if any(walks(field, dim) for dim in by) else field
    axes = tuple(
        offset(a, by[dim]) if dim in by else a
        for a, dim in zip(field.axes, field.dims, strict=True)
    )
    return field._replace(axes=axes)


def walks(field: Field, dim: int) -> bool:
    """Whether an axis of the tensor walks along one of the picture, or holds a digit of one."""
    return dim in (field.dims if field.split is None else dict(field.split.grid))
