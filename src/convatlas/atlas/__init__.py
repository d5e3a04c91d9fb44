"""The atlas: every built-in network as a graph, without building it. Never imports torch.

One compressed file in the package holds an index and each network's graph as JSON; it is made
from the model files by ``make atlas``.
"""

import json
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from convatlas.atlas.training import in_training
from convatlas.errors import UserError
from convatlas.graph.document import read
from convatlas.graph.graph import Graph
from convatlas.nearest import unknown

PATH = Path(__file__).with_name("networks.zip")
INDEX = "index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One network as published."""

    name: str
    family: str
    paper: str
    year: int
    summary: str
    departures: tuple[str, ...]
    input: tuple[int, int, int]  # C, H, W
    parameters: int  # trainable
    macs: int  # multiply-adds for one picture, in evaluation mode
    heads: bool  # in training the network is another graph, with its auxiliary heads


@cache
def entries() -> tuple[Entry, ...]:
    """Every network, in the order of the model table."""
    with zipfile.ZipFile(PATH) as file:
        table = json.loads(file.read(INDEX))
    return tuple(
        Entry(**{**row, "departures": tuple(row["departures"]), "input": tuple(row["input"])})
        for row in table
    )


def entry(name: str) -> Entry:
    """The entry of a network; raises `UserError` with the nearest names and its profiles."""
    for found in entries():
        if found.name == name:
            return found
    raise UserError(unknown(name, tuple(found.name for found in entries())))


def graph(name: str, *, training: bool = False) -> Graph:
    """The graph of a network, as it runs in evaluation or in training."""
    otherwise = training and trains_otherwise(name)
    entry(name)
    with zipfile.ZipFile(PATH) as file:
        found = read(file.read(member(name, training=otherwise)))
    return in_training(found) if training and not otherwise else found


def trains_otherwise(name: str) -> bool:
    """Whether other operations run in training: auxiliary heads, paths that are dropped."""
    return member(name, training=True) in _members()


@cache
def _members() -> frozenset[str]:
    with zipfile.ZipFile(PATH) as file:
        return frozenset(file.namelist())


def member(name: str, *, training: bool) -> str:
    """Where a graph lies in the file."""
    return f"{name}.train.json" if training else f"{name}.json"
