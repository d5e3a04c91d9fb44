import click
import pytest
from click.testing import CliRunner

from convatlas.cli.output import FORMS, table_formats


@click.command()
@table_formats
def command(form: str | None) -> None:
    click.echo(str(form))


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_a_flag(form: str) -> None:
    assert CliRunner().invoke(command, [f"--{form}"]).output == f"{form}\n"


def test_the_last_flag_counts_and_none_is_for_people() -> None:
    assert CliRunner().invoke(command, []).output == "None\n"
    assert CliRunner().invoke(command, ["--csv", "--json"]).output == "json\n"
