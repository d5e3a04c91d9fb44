import copy
import pickle

import pytest

from convatlas import models
from convatlas.checkpoints.meaning import difference, fingerprint, of_blueprint
from convatlas.checkpoints.record import (
    GRAPHS,
    RECORD,
    describe,
    from_header,
    header,
    record_of,
    remember,
)
from convatlas.errors import UserError
from convatlas.models.family import Task

BLUEPRINT = models.blueprint("googlenet", Task(num_classes=4))


def test_a_record_and_its_graphs_come_back() -> None:
    graphs = of_blueprint(BLUEPRINT)
    record = describe(BLUEPRINT, fingerprint(graphs), "convatlas", ("a reason",))
    found = from_header("file", header(record, graphs))
    assert found is not None
    assert found[0] == record
    assert fingerprint(found[1]) == record.fingerprint
    assert difference(found[1], graphs) is None
    assert models.blueprint(record.name, record.task).spec == BLUEPRINT.spec
    assert record.auxiliary is True


def test_a_header_of_another_program_has_no_record() -> None:
    assert from_header("file", {"format": "pt"}) is None


def test_headers_that_cannot_be_read_are_refused() -> None:
    graphs = of_blueprint(BLUEPRINT)
    good = header(describe(BLUEPRINT, "", "convatlas", ()), graphs)
    broken = (
        {RECORD: good[RECORD]},
        good | {RECORD: "{}"},
        good | {RECORD: "no JSON"},
        good | {GRAPHS: "no graph"},
        good | {GRAPHS: good[GRAPHS][:-9]},
    )
    for strings in broken:
        with pytest.raises(UserError, match="file: its header does not say of which network"):
            from_header("file", strings)
    later = good | {RECORD: good[RECORD].replace('"format":1', '"format":2')}
    with pytest.raises(UserError, match="in format 2, this ConvAtlas reads 1"):
        from_header("file", later)


def test_a_module_remembers_also_when_copied() -> None:
    module = models.create("lenet5")
    assert record_of(module) is None
    record = describe(models.blueprint("lenet5"), "x", "convatlas", ())
    remember(module, record)
    assert record_of(module) == record
    assert record_of(copy.deepcopy(module)) == record
    assert record_of(pickle.loads(pickle.dumps(module))) == record
    assert "convatlas_record" not in module.state_dict()
