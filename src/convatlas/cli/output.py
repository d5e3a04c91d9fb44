"""The options that choose how a table is printed."""

from collections.abc import Callable
from typing import Any

import click

FORMS = ("html", "latex", "md", "csv", "json")


def table_formats(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--json``, ``--csv`` and so on, passed to it as ``form``."""
    for form in FORMS:
        option = click.option(
            f"--{form}", "form", flag_value=form, help=f"Print as {form.upper()}."
        )
        command = option(command)
    return command
