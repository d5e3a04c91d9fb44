"""What a long command is doing now, on standard error: a line that changes at a terminal."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.live import Live


class Now:
    """Told what is done about what; used as a context so that its line is taken away at the end.

    Elsewhere than at a terminal a line is printed for everything it is told about, or none at all
    if ``quiet``. Drawn only when told: a line that moves by itself would disturb measurements.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet, self.about = quiet, ""
        self.live: Live | None = None

    def __call__(self, about: str, doing: str) -> None:
        """Show it; ``about`` may be empty."""
        if sys.stderr.isatty():
            self._draw(f"{about}: {doing}" if about else doing)
        elif about != self.about and not self.quiet:
            self.about = about
            click.echo(f"{about} ...", err=True)

    def _draw(self, line: str) -> None:
        # not at the top: most calls show nothing, and need not wait for it
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        if self.live is None:
            self.live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self.live.start()
        self.live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)

    def __enter__(self) -> "Now":
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()
