"""The list of all networks as a page of Markdown."""

from itertools import groupby

from convatlas.atlas import Entry, entries

HEAD = """# Networks

Every network by name, as published unless its summary says otherwise; `NAME@torchvision`, `NAME@timm` and `NAME@authors` are
profiles: the same network as the world's weights have it. `convatlas list --departures` says where each departs from its
paper, `convatlas show NAME` shows it layer by layer. MACs are multiply-adds for one picture in evaluation mode.

This page is made from the atlas by `make atlas`.
"""  # noqa: E501


def page() -> str:
    """One section a family, one row a network."""
    parts = [HEAD]
    for family, group in groupby(entries(), key=lambda entry: entry.family):
        rows = list(group)
        papers = dict.fromkeys(entry.paper for entry in rows)
        parts.append(f"## {family}\n\n{'; '.join(papers)}\n")
        parts.append(
            "| network | input | parameters | MACs | what it is |\n|---|---|---:|---:|---|"
        )
        parts[-1] += "".join(map(_row, rows)) + "\n"
    return "\n".join(parts)


def _row(entry: Entry) -> str:
    size = "×".join(map(str, entry.input))
    return (
        f"\n| `{entry.name}` | {size} | {entry.parameters:,} | {entry.macs:,} "
        f"| {entry.summary.replace('|', chr(92) + '|')} |"
    )
