"""The one exception a user is meant to read, and those of other libraries in one line."""

LONGEST = 200  # characters; exporters and engines raise pages of text


class UserError(ValueError):
    """Bad input: one line saying what was given, what was expected and the way out.

    The command line prints it after ``error:`` and exits with status 2.
    """


def one_line(error: BaseException) -> str:
    """What an exception says, cut to `LONGEST` characters without line breaks; else its kind."""
    return " ".join(str(error).split())[:LONGEST] or type(error).__name__
