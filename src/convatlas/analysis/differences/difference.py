"""What a comparison of two graphs comes to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """How many parameters and multiply-adds the second network has more.

    ``field``: the same of its receptive field; ``None`` where that was not asked for or is unknown.
    """

    parameters: int = 0
    macs: int = 0
    field: int | None = None

    def __add__(self, other: "Effect") -> "Effect":
        """Both; fields do not add up."""
        return Effect(self.parameters + other.parameters, self.macs + other.macs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference and all places where it is found."""

    what: str
    a: str  # what the first network has; "" nothing
    b: str
    places: tuple[tuple[str, str], ...] = ()  # the modules in a and in b; "" where there is none
    effect: Effect = Effect()
    operations: int = 1  # how many it concerns, of all places together
    note: str = ""
    at: int = -1  # where in the first network's order of operations; -1: it is about the whole
    plain: tuple[str, str] | None = None  # a and b without what may differ between equal blocks

    @property
    def times(self) -> int:
        """How often it is found."""
        return max(1, len(self.places))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of operation in both networks."""

    name: str
    count: tuple[int, int]
    parameters: tuple[int, int]
    macs: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two networks by meaning; effects are what ``b`` has more than ``a`` at the same input."""

    a: str
    b: str
    changes: tuple[Change, ...]
    follows: Effect  # in layers that are the same but read other widths or sizes
    effect: Effect  # of everything
    parameters: tuple[int, int]
    macs: tuple[int, int]
    same_shapes: bool  # of all that layers with parameters make
    same_weights: bool  # shapes of the parameters, whatever their order
    alike: float  # share of operations that have a counterpart of their own kind
    kinds: tuple[Kind, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing was found to differ."""
        return not self.changes

    @property
    def related(self) -> bool:
        """Whether the networks are enough alike for their differences to be worth a list."""
        return self.alike >= 0.5 and len(self.changes) <= 40

    @property
    def verdict(self) -> str:
        """One line."""
        if self.same:
            return "same network"
        count = len(self.changes)
        differ = f"{count} difference{'s' * (count > 1)}"
        if not self.related:
            return f"different networks: {self.alike:.0%} of the operations correspond"
        if self.same_shapes and self.same_weights:
            blind = "shapes or parameter counts"
            return f"same shapes, {differ}: cannot be told from {blind}"
        if self.same_weights:
            return f"same parameters, {differ}: cannot be told from parameter counts"
        if self.parameters[0] == self.parameters[1]:
            return f"same number of parameters, {differ}"
        return f"{differ}: {_signed(self.effect.parameters)} parameters"


def _signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−")
