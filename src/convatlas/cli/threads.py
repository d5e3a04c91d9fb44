"""The option that says how many threads compute."""

from collections.abc import Callable
from typing import Any

import click

from convatlas.runtime.threads import TIMES, check_threads


def threads_option(
    said: str, times: int = TIMES
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--threads``, of at most ``times`` the processors; ``said``: how many by default."""

    def checked(_context: click.Context, _: click.Parameter, given: int | None) -> int | None:
        check_threads(given, times)
        return given

    many = "as many as there are processors" if times == 1 else f"{times} times the processors"
    return click.option(
        "--threads", type=click.IntRange(1), callback=checked, help=f"{said}; at most {many}."
    )
