"""Rebuild the atlas from the model files: ``make atlas``, or ``python -m convatlas.atlas [PAGE]``.

PAGE is where the list of networks goes, docs/networks.md in the sources.
"""

import dataclasses
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from convatlas import models
from convatlas.atlas import INDEX, PATH, Entry, member
from convatlas.atlas.training import in_training
from convatlas.capture.capture import capture
from convatlas.files import write_atomically
from convatlas.graph.document import write
from convatlas.graph.graph import Graph
from convatlas.graph.propagate import propagate

# A fixed date, so that the same networks give the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)


def graphs(name: str) -> tuple[Graph, Graph | None]:
    """A network in evaluation mode, and in training if other operations run there."""
    blueprint = models.blueprint(name)
    spec = blueprint.spec
    module = blueprint.layout()
    shape = (2, spec.in_channels, spec.image_size, spec.image_size)
    still = capture(module, shape, training=False, name=name)
    if still.unknown:
        raise ValueError(f"{name}: the cost of {still.unknown} cannot be told")
    trained = capture(module, shape, training=True, name=name)
    return still, None if trained == in_training(still) else trained


def entry(name: str, still: Graph, trained: Graph | None) -> Entry:
    """What the index says of a network."""
    blueprint = models.blueprint(name)
    ((_, *shape),) = still.inputs
    channels, height, width = shape
    return Entry(
        name=name,
        family=blueprint.family.name,
        paper=str(blueprint.variant.paper),
        year=blueprint.variant.paper.year,
        summary=blueprint.variant.summary,
        departures=blueprint.departures,
        input=(channels, height, width),
        parameters=still.trainable,
        macs=propagate(still, ((1, channels, height, width),)).macs,
        heads=trained is not None and len(trained.outputs) > len(still.outputs),
    )


def documents() -> Iterator[tuple[str, str]]:
    """Everything in the file, by member, the index last."""
    index = []
    for name in models.names():
        still, trained = graphs(name)
        index.append(dataclasses.asdict(entry(name, still, trained)))
        yield member(name, training=False), write(still)
        if trained is not None:
            yield member(name, training=True), write(trained)
    yield INDEX, json.dumps(index, ensure_ascii=False)


def packed() -> bytes:
    """The whole file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, text in documents():
            file.writestr(zipfile.ZipInfo(name, EPOCH), text, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


if __name__ == "__main__":
    write_atomically(PATH, packed())
    for path in sys.argv[1:]:
        from convatlas.atlas.page import page  # reads what has just been written

        write_atomically(Path(path), page())
