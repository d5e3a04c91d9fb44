import csv
import io
import json

import pytest
from click.testing import CliRunner, Result

from convatlas import atlas
from convatlas.cli.verify import command
from convatlas.errors import UserError
from convatlas.graph.graph import Graph


def run(*arguments: str) -> Result:
    """The command as it ends, a user's error raised."""
    ran = CliRunner().invoke(command, arguments)
    if isinstance(ran.exception, UserError):
        raise ran.exception
    return ran


def test_a_network() -> None:
    ran = run("googlenet")
    assert ran.exit_code == 0
    lines = ran.output.splitlines()
    assert lines[0].split() == ["claim", "place", "printed", "measured", "verdict"]
    row = next(line for line in lines if line.startswith("googlenet.t1.params.i4c "))
    assert "Table 1" in row
    assert "463 Ki weights" in row
    assert "differs: the widths in the same row give 497.5" in row
    assert "googlenet contradicts itself: Table 1's column" in ran.output
    assert "googlenet.err.ens" not in ran.output
    assert lines[-1].startswith("88 figures: 39 holds, ")


def test_all_of_a_paper() -> None:
    assert "googlenet.err.ens" in run("--paper", "googlenet", "--all").output
    assert "unet.recipe.loss" not in run("--paper", "unet").output


def test_the_whole_ledger() -> None:
    ran = run()
    assert ran.exit_code == 0
    assert ran.output.splitlines()[-1] == (
        "1,038 figures: 295 holds, 109 holds (rounded), 70 differs, 343 needs training, "
        "221 not computable"
    )
    for name in ("alexnet", "googlenet", "inception_v2", "mobilenet"):
        assert f"{name} contradicts itself: " in ran.output


def test_machine_formats() -> None:
    document = json.loads(run("--json").output)
    assert sum(document["counts"].values()) == len(document["claims"]) == 1038
    assert document["changed"] == []
    record = next(r for r in document["claims"] if r["id"] == "alexnet.params")
    assert (record["printed"], record["measured"]) == (60, 60.965224)
    assert record["source"] == "Krizhevsky, Sutskever, Hinton, NIPS 2012"
    rows = list(csv.DictReader(io.StringIO(run("vgg16", "--csv").output)))
    assert rows[0]["claim"] == "notes.002.goog.2fc"
    assert run("vgg16", "--md").output.startswith("| claim | place |")


def test_a_change_ends_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    read = atlas.graph

    def other(name: str, *, training: bool = False) -> Graph:
        return read("swin_s" if name == "swin_t" else name, training=training)

    monkeypatch.setattr(atlas, "graph", other)
    ran = run("swin_t")
    assert ran.exit_code == 1
    assert "CHANGED since the ledger was written: " in ran.output
    assert (
        "  swin.t.params: CHANGED: differs, 49.606258; the ledger says differs, 28.2" in ran.output
    )
    assert run("swin_t", "--json").exit_code == 1
    assert run("swin_b").exit_code == 1  # swin.depths reads all three
    assert run("vgg16").exit_code == 0


def test_a_network_of_which_nothing_is_printed() -> None:
    ran = run("lenet-bn")
    assert (ran.exit_code, ran.output) == (0, "the ledger has no figure of it\n")


def test_unknown_names() -> None:
    with pytest.raises(UserError, match="did you mean 'vgg16"):
        run("vgg166")
    with pytest.raises(UserError, match="did you mean 'swin'"):
        run("--paper", "swim")
