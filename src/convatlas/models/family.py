"""What every model file exports: a family of networks, each variant a frozen spec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from torch import nn

from convatlas.errors import UserError
from convatlas.models.layout import without_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Where a network was published."""

    authors: str
    title: str
    year: int
    where: str

    def __str__(self) -> str:
        return f"{self.authors}, {self.title!r}, {self.where}, {self.year}"


class Spec(Protocol):
    """What every spec has beside its paper's own knobs: the task it is built for.

    A spec is a frozen dataclass; it refuses sizes its network cannot take with a `UserError`.
    """

    @property
    def num_classes(self) -> int:
        """Length of the output vector."""

    @property
    def in_channels(self) -> int:
        """Channels of the input picture."""

    @property
    def image_size(self) -> int:
        """Height and width of the input picture."""


S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Generic[S]):
    """One named network: its spec, its source, and what it does otherwise than its source."""

    spec: S
    paper: Paper
    summary: str
    departures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Generic[S]):
    """The networks of one model file and the function that builds any of them."""

    name: str
    build: Callable[[S], nn.Module]
    variants: Mapping[str, Variant[S]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint(Generic[S]):
    """A network adapted to a task: what builds it, and all it does otherwise than its source."""

    name: str
    family: Family[S]
    variant: Variant[S]
    spec: S
    departures: tuple[str, ...]

    def build(self) -> nn.Module:
        """The network with freshly drawn weights (from torch's global generator)."""
        return self.family.build(self.spec)

    def layout(self) -> nn.Module:
        """The network without weights, on the meta device: milliseconds, whatever its size."""
        with without_weights():
            return self.family.build(self.spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a network is wanted for; ``None`` keeps the published value."""

    num_classes: int | None = None
    in_channels: int | None = None
    image_size: int | None = None
    dropout: float | None = None


def adapt(name: str, family: Family[Any], task: Task) -> Blueprint[Any]:
    """Fit the published spec to a task and note what departs from the paper.

    Raises `UserError` where the network cannot take the task.
    """
    variant = family.variants[name]
    changes = {key: value for key, value in _fields(task) if value is not None}
    for key, value in changes.items():
        if not hasattr(variant.spec, key):
            raise UserError(f"{name} has no {key} to set (given {value}); leave it out")
        if key in ("num_classes", "in_channels") and value < 1:
            raise UserError(f"{key.replace('_', ' ')} of {name} is 1 or more, given {value}")
    spec = replace(variant.spec, **changes)
    noted = tuple(
        f"{key.replace('_', ' ')} {value}, published as {getattr(variant.spec, key)}"
        for key, value in changes.items()
        if value != getattr(variant.spec, key)
    )
    return Blueprint(
        name=name,
        family=family,
        variant=variant,
        spec=spec,
        departures=variant.departures + noted,
    )


def _fields(task: Task) -> tuple[tuple[str, float | None], ...]:
    return (
        ("num_classes", task.num_classes),
        ("in_channels", task.in_channels),
        ("image_size", task.image_size),
        ("dropout", task.dropout),
    )
