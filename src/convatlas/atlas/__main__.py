"""Rebuild the atlas from the model files: ``python -m convatlas.atlas``, or ``make atlas``."""

import dataclasses
import json
from pathlib import Path

import torch

from convatlas import models
from convatlas.atlas import Entry
from convatlas.capture.layers import layers
from convatlas.files import write_atomically

PATH = Path(__file__).with_name("networks.json")


def entry(name: str) -> Entry:
    """Measure one network on the meta device."""
    blueprint = models.blueprint(name)
    with torch.device("meta"):
        model = blueprint.build()
    shape = (blueprint.spec.in_channels, blueprint.spec.image_size, blueprint.spec.image_size)
    rows = layers(model, torch.empty(1, *shape, device="meta"))
    unknown = [row.path for row in rows if row.macs is None]
    if unknown:
        raise ValueError(f"{name}: the multiply-adds of {', '.join(unknown)} cannot be told")
    return Entry(
        name=name,
        family=blueprint.family.name,
        paper=str(blueprint.variant.paper),
        year=blueprint.variant.paper.year,
        summary=blueprint.variant.summary,
        departures=blueprint.departures,
        input=shape,
        parameters=sum(p.numel() for p in model.parameters() if p.requires_grad),
        macs=sum(row.macs or 0 for row in rows),
    )


def document() -> str:
    """The whole atlas as it should stand in the file."""
    table = [dataclasses.asdict(entry(name)) for name in models.names()]
    return json.dumps(table, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_atomically(PATH, document())
