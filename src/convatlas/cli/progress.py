"""Live progress of a training run on standard error: a bar at a terminal, a line an epoch else."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from convatlas.training.card import Card
from convatlas.training.state import EpochRecord


class Progress:
    """A watcher that shows; used as a context so that the bar is taken down at the end."""

    def __init__(self) -> None:
        self.console, self.part = Console(stderr=True), "validation"
        self.bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.task = self.bar.add_task("training", total=None, loss=float("nan"))

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def begin(self, card: Card) -> None:
        """What is trained on what, and how."""
        recipe, self.part = card.recipe, "test" if card.selected_on == "test" else "validation"
        choices = (
            "choices made on the TEST set"
            if card.selected_on == "test"
            else f"{card.data.validation:,} held out to choose on, the test set sealed"
        )
        self.say(
            f"{card.network.name} on {card.data.name}: {card.data.training:,} pictures to train "
            f"on, {choices}"
        )
        self.say(
            f"recipe {recipe.name}: {recipe.epochs} x {card.data.training:,} pictures, batch "
            f"{recipe.batch}, {type(recipe.schedule).__name__.lower()} rate {recipe.lr:g}, "
            f"seed {card.seed}, {card.device}"
        )

    def say(self, line: str) -> None:
        """One line that stays, printed as it is."""
        self.console.print(line, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def step(self, done: int, total: int, loss: float) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=done, total=total, loss=loss)

    def epoch(self, record: EpochRecord) -> None:
        """One line that stays."""
        error = record.validation_error
        measured = f"  {self.part} error {error:.2%}" if error is not None else ""
        self.say(
            f"epoch {record.epoch:>3}  loss {record.train_loss:.4f}{measured}"
            f"  {record.seconds:.1f} s  {record.images_per_second:,.0f} pictures/s"
        )

    def wants_stop(self) -> bool:
        """Never of its own."""
        return False
