import click
import pytest
from click.testing import CliRunner

from convatlas.cli.output import FORMS, table_formats
from convatlas.errors import UserError


@click.command()
@table_formats
def command(form: str | None) -> None:
    click.echo(str(form))


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_a_flag(form: str) -> None:
    assert CliRunner().invoke(command, [f"--{form}"]).output == f"{form}\n"


def test_without_one_it_is_for_people() -> None:
    assert CliRunner().invoke(command, []).output == "None\n"
    assert CliRunner().invoke(command, ["--json", "--json"]).output == "json\n"


def test_two_forms_are_refused() -> None:
    with pytest.raises(UserError, match=r"^--csv and --json are given; one form is printed"):
        CliRunner().invoke(command, ["--csv", "--json"], catch_exceptions=False)
