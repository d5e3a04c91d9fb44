"""The options that choose how a table is printed."""

from collections.abc import Callable
from typing import Any

import click

from convatlas.errors import UserError

FORMS = ("html", "latex", "md", "csv", "json")


def table_formats(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--json``, ``--csv`` and so on, passed to it as ``form``; one at most."""
    for form in FORMS:
        command = form_option(form, f"Print as {form.upper()}.")(command)
    return command


def form_option(form: str, said: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--json`` or another one of a command's forms; `UserError` if a second one is given."""

    def chosen(context: click.Context, _: click.Parameter, given: bool) -> None:
        other = context.params.setdefault("form", None)
        if given and other is not None:
            raise UserError(f"--{other} and --{form} are given; one form is printed, leave one out")
        if given:
            context.params["form"] = form

    # under names of their own, as click keeps only the last of several options of one name
    return click.option(
        f"--{form}", f"as_{form}", is_flag=True, expose_value=False, callback=chosen, help=said
    )
