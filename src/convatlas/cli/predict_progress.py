"""How far predicting has come, on standard error: errors, a bar at a terminal, a last line."""

import time
from types import TracebackType
from typing import Protocol

import click


class Progress(Protocol):
    """A context that is told of each picture."""

    def say(self, line: str) -> None:
        """One line that stays."""

    def step(self) -> None:
        """One picture more."""

    def __enter__(self) -> "Progress": ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Plain:
    """Lines alone."""

    def say(self, line: str) -> None:
        """Straight out."""
        click.echo(line, err=True)

    def step(self) -> None:
        """Nothing."""

    def __enter__(self) -> "Plain":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Bar:
    """A bar, or a moving one where the number of pictures is not known, with lines above it."""

    def __init__(self, total: int | None) -> None:
        # not at the top: most calls show no bar, and need not wait for it
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichBar

        self.started = time.perf_counter()
        self.done = 0
        self.bar = RichBar(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self.task = self.bar.add_task("", total=total, rate="")

    def say(self, line: str) -> None:
        """Above the bar, printed as it is."""
        self.bar.console.print(line, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def step(self) -> None:
        """Move the bar."""
        self.done += 1
        rate = self.done / (time.perf_counter() - self.started)
        self.bar.update(self.task, completed=self.done, rate=f"{rate:,.1f} pictures/s")

    def __enter__(self) -> "Bar":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()
