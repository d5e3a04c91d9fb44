"""The one exception a user is meant to read."""


class UserError(ValueError):
    """Bad input: one line saying what was given, what was expected and the way out.

    The command line prints it after ``error:`` and exits with status 2.
    """
