"""Refusing numbers that no layer can have."""

from convatlas.errors import UserError


def at_least(least: int, numbers: dict[str, int]) -> None:
    """Each of the named numbers must be ``least`` or more."""
    for name, number in numbers.items():
        if number < least:
            raise UserError(f"{name} is {number}; it must be {least} or more")


def divided(groups: int, c_in: int, c_out: int) -> None:
    """The groups must share out both the input and the output channels."""
    for channels, which in ((c_in, "input"), (c_out, "output")):
        if channels % groups:
            shared = [str(n) for n in range(1, min(c_in, c_out) + 1) if c_in % n == c_out % n == 0]
            raise UserError(
                f"{groups} groups do not divide the {channels} {which} channels; "
                f"for {c_in} → {c_out} channels it can be {_listed(shared)}"
            )


def _listed(numbers: list[str]) -> str:
    """At most eight of them, then an ellipsis and the last."""
    if len(numbers) > 8:
        numbers = [*numbers[:7], "…", numbers[-1]]
    return ", ".join(numbers[:-1]) + (" or " if numbers[:-1] else "") + numbers[-1]
