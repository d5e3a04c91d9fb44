"""The command line. Each command is imported only when it is called, so ``--help`` is quick."""

import importlib
import os
import sys

try:
    import click

    import convatlas
    from convatlas.errors import UserError
    from convatlas.files import FULL
except KeyboardInterrupt:  # Ctrl-C before `main` can see to it
    sys.exit(130)

# command: (module, one line for the overview)
COMMANDS = {
    "list": ("convatlas.cli.list_networks", "The networks, with paper, year, size and departures."),
    "conv": ("convatlas.cli.conv", "Size, parameters and MACs of one layer, worked out."),
    "field": ("convatlas.cli.field", "Receptive field of a stack of layers, with its holes."),
    "show": ("convatlas.cli.show", "Every layer of a network: sizes, parameters, MACs, memory."),
    "compare": ("convatlas.cli.compare", "Networks side by side, with ratios and a picture."),
    "diff": ("convatlas.cli.diff", "What differs between two networks by meaning."),
    "sweep": ("convatlas.cli.sweep", "A network over input sizes and batches."),
    "doctor": (
        "convatlas.cli.doctor",
        "What is wrong with a network at an input, what mends it.",
    ),
    "verify": ("convatlas.cli.verify", "What papers print, measured again."),
    "check": ("convatlas.cli.check", "Re-compute the arithmetic of a note, line by line."),
    "train": ("convatlas.cli.train", "Train a network and leave a run folder with a report."),
    "resume": ("convatlas.cli.resume", "Go on with a run that was stopped."),
    "eval": ("convatlas.cli.evaluate", "Evaluate a run's network on its data."),
    "predict": ("convatlas.cli.predict", "Classify picture files with a run's network."),
    "export": ("convatlas.cli.export", "Write a network for other engines, run and compared."),
    "bench": ("convatlas.cli.bench", "The engines of this machine on a network, measured."),
    "serve": ("convatlas.cli.serve", "Answer HTTP requests with a bundle, without torch."),
    "report": ("convatlas.cli.report", "Draw a run's report again."),
}


class LazyGroup(click.Group):
    """A group that lists its commands from the table and imports the one that is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table, which is that of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Each command's module holds it under the name ``command``."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(convatlas.__version__, prog_name="convatlas")
def cli() -> None:
    """The classic convolutional networks, exactly as published: build, train, look inside."""


def main() -> None:
    """The ``convatlas`` entry point: a user's mistake is one line and exit status 2."""
    if sys.stdout is None:  # so Python says that it was started without
        _end("error: standard output is closed; let it go to a file, or to /dev/null", 2)
    try:
        cli.main(standalone_mode=False)
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where its rest is to go
        _end(f"error: cannot write the results: {error.strerror}; make room", 2)
    except UserError as error:
        _end(f"error: {error.typed}", 2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _end("stopped", 130)


def _end(line: str, status: int) -> None:
    click.echo(line, err=True)
    sys.exit(status)
