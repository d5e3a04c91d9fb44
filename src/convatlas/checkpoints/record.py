"""What a file of ours says of its network, and what a loaded module remembers."""

import base64
import binascii
import zlib
from importlib.metadata import version
from typing import Any, cast

import msgspec
import torch
from torch import nn

from convatlas.checkpoints.meaning import Graphs
from convatlas.errors import UserError, one_line
from convatlas.graph.document import read, write
from convatlas.models.family import Blueprint, Task

FORMAT = 1
RECORD, GRAPHS = "convatlas network", "convatlas graphs"  # keys in the header of a file
ATTRIBUTE = "convatlas_record"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Which network, adapted how, its fingerprint; ``forced``: refusals that were overridden."""

    format: int = FORMAT
    name: str
    profile: str
    departures: tuple[str, ...]
    num_classes: int
    in_channels: int
    image_size: int
    dropout: float | None
    auxiliary: bool | None  # whether it has its auxiliary heads; None: none were published
    fingerprint: str
    layout: str  # of the keys: "convatlas", or the library that has the same
    versions: dict[str, str]
    forced: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """What makes the same network of its name, heads apart."""
        return Task(
            num_classes=self.num_classes,
            in_channels=self.in_channels,
            image_size=self.image_size,
            dropout=self.dropout,
        )


def describe(
    blueprint: Blueprint[Any], fingerprint: str, layout: str, forced: tuple[str, ...]
) -> Record:
    """The record of a network as it is written today."""
    spec = blueprint.spec
    return Record(
        name=blueprint.name,
        profile=blueprint.name.partition("@")[2] or "paper",
        departures=blueprint.departures,
        num_classes=spec.num_classes,
        in_channels=spec.in_channels,
        image_size=spec.image_size,
        dropout=getattr(spec, "dropout", None),
        auxiliary=getattr(spec, "auxiliary", None),
        fingerprint=fingerprint,
        layout=layout,
        versions={"convatlas": version("convatlas"), "torch": str(torch.__version__)},
        forced=forced,
    )


def header(record: Record, graphs: Graphs) -> dict[str, str]:
    """The strings for the header of a file; with the graphs differences can be told later."""
    texts = msgspec.json.encode([write(graph) for graph in graphs])
    return {
        RECORD: msgspec.json.encode(record).decode(),
        GRAPHS: base64.b85encode(zlib.compress(texts, 9)).decode(),
    }


def from_header(path: object, strings: dict[str, str]) -> tuple[Record, Graphs] | None:
    """Record and graphs of a file, if it has them; raises `UserError` where they are unreadable."""
    if RECORD not in strings:
        return None
    try:
        record = msgspec.json.decode(strings[RECORD], type=Record)
        texts = zlib.decompress(base64.b85decode(strings[GRAPHS]))
        graphs = tuple(read(text) for text in msgspec.json.decode(texts, type=list[str]))
    except (KeyError, ValueError, zlib.error, binascii.Error) as error:
        raise UserError(
            f"{path}: its header does not say of which network it is ({one_line(error)}); write it "
            "again"
        ) from None
    if record.format != FORMAT or not graphs:
        raise UserError(
            f"{path} has weights in format {record.format}, this ConvAtlas reads {FORMAT}; "
            "use the ConvAtlas that wrote it"
        )
    return record, graphs


def remember(module: nn.Module, record: Record) -> None:
    """Keep the record with the module."""
    object.__setattr__(module, ATTRIBUTE, record)


def record_of(module: nn.Module) -> Record | None:
    """What `load` noted of a module; ``None`` for one that was not loaded."""
    return cast("Record | None", module.__dict__.get(ATTRIBUTE))
