"""The atlas: what is known of every built-in network without building it. Never imports torch."""

import json
from dataclasses import dataclass
from importlib.resources import files


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
    macs: int  # multiply-adds for one picture


def entries() -> tuple[Entry, ...]:
    """Every network, in the order of the model table."""
    table = json.loads(files(__name__).joinpath("networks.json").read_text(encoding="utf-8"))
    return tuple(
        Entry(**{**row, "departures": tuple(row["departures"]), "input": tuple(row["input"])})
        for row in table
    )
