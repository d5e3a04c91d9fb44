"""The one exception a user is meant to read, and those of other libraries in one line."""

LONGEST = 200  # characters; exporters and engines raise pages of text


class UserError(ValueError):
    """Bad input: one line saying what was given, what was expected and the way out.

    The command line prints it after ``error:`` and exits with status 2; ``typed`` is the line for
    there, where arguments are options.
    """

    def __init__(self, said: str, typed: str | None = None) -> None:
        super().__init__(said)
        self.typed = said if typed is None else typed


def argued(*parts: str | tuple[str, str]) -> UserError:
    """A line in parts; a pair is an argument as Python has it, and as the command line has it."""
    said, typed = (
        "".join(part if isinstance(part, str) else part[side] for part in parts) for side in (0, 1)
    )
    return UserError(said, typed)


def one_line(error: BaseException | str) -> str:
    """What an exception says, cut to `LONGEST` characters without line breaks; else its kind."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= LONGEST else f"{said[: LONGEST - 1].rstrip()}…"


def with_kind(error: BaseException) -> str:
    """``KeyError: 'x'``, in one line; the kind alone of an exception that says nothing."""
    kind, said = type(error).__name__, one_line(error)
    return kind if said == kind else f"{kind}: {said}"
