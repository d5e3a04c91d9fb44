"""The doctor: what is wrong with a network at an input, and the smallest change that mends it."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from html import escape

from convatlas.analysis.doctor.examine import Examination, examine
from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.legal import has_sides, square, takes
from convatlas.analysis.picture import inputs_for, parse_shape
from convatlas.errors import UserError
from convatlas.graph.graph import Graph
from convatlas.graph.operation import shown
from convatlas.graph.propagate import OtherWay, propagate
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask, module_of, texts_of

# Sides at which a module is tried that cannot be captured at the one asked about.
USUAL = (224, 256, 32, 227, 299, 64, 128, 96, 384, 512, 28, 572)
TRIES = 40  # of sides that pass as far as is seen
SIDES = (*USUAL, *(side for side in range(1, 641) if side not in USUAL))


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, to be read or printed."""

    examination: Examination
    line: str = ""  # of the module's code, where it stops

    @property
    def table(self) -> Table:
        """One row a finding."""
        rows = tuple(
            (f.weight, f.what, f.place, f.says, "; or ".join(f.changes))
            for f in self.examination.findings
        )
        return Table(("weight", "what", "place", "finding", "what mends it"), rows)

    def text(self, form: str | None = None) -> str:
        """Sentences, or the table in a format."""
        if form == "json":
            return json.dumps(self._document(), indent=1, ensure_ascii=False)
        if form:
            return render(self.table, form)
        found = self.examination
        inputs = ", ".join(shown(shape) for shape in found.inputs)
        lines = [f"{found.graph.name} at {inputs}", self._sides()]
        for finding in found.findings:
            lines += ["", *_sentences(finding)]
        if not found.findings:
            lines += ["", "nothing to mend"]
        if found.graph.notes:
            lines += ["", *found.graph.notes]
        return "\n".join(lines)

    def _sides(self) -> str:
        """Which sizes the network takes; of one whose code stops nobody knows what follows."""
        found = self.examination
        if any(finding.what == "batch" for finding in found.findings):
            return "it mixes pictures, so that no size is right"
        if found.graph.outputs:
            return takes(found.graph, found.legal)
        at = f" ({self.line})" if self.line else ""
        return f"its code stops at {found.findings[0].place}{at}, what follows is not seen"

    def _document(self) -> dict[str, object]:
        found = self.examination
        return {
            "network": found.graph.name,
            "inputs": found.inputs,
            "legal": asdict(found.legal) if found.graph.outputs else None,
            "notes": found.graph.notes,
            "findings": [asdict(finding) for finding in found.findings],
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        found = self.examination
        inputs = ", ".join(shown(shape) for shape in found.inputs)
        head = escape(f"{found.graph.name} at {inputs}: {self._sides()}")
        return f"<p>{head}</p>\n{self.text('html')}"


def doctor(
    network: Network,
    sizes: Sizes = (),
    *,
    batch: int = 1,
    training: bool = False,
) -> Report:
    """Examine a network at an input, which it need not be able to take; raises `UserError`."""
    try:
        asked = ask(network, sizes, batch=batch, training=training)
        return Report(examine(asked.graph, asked.inputs))
    except UserError as error:
        texts = texts_of(sizes)
        stopped = _stopped(error)
        if stopped is None:
            found = _at_another_size(network, texts, SIDES, batch, training)
        else:
            passing = tuple(_passing(stopped, SIDES))
            found = _at_another_size(network, texts, passing[:TRIES], batch, training)
            found = found or _up_to_there(stopped, passing, getattr(error, "line", ""))
        if found is None:
            raise error from None
        return found


def _stopped(error: UserError) -> Graph | None:
    """The graph up to the operation that a module's code could not do, this one included."""
    graph, refused = getattr(error, "graph", None), getattr(error, "refused", None)
    if graph is None or refused is None:
        return None
    stopped: Graph = replace(graph, nodes=(*graph.nodes, refused), outputs=())
    return stopped


def _up_to_there(stopped: Graph, passing: tuple[int, ...], line: str) -> Report:
    """What is known of the operation that stopped it, and the nearest sides at which it passes."""
    examination = examine(stopped, stopped.inputs)
    (finding,) = examination.findings
    picture = next((shape for shape in stopped.inputs if len(shape) > 2), ())
    near = sorted(passing, key=lambda side: abs(side - max(picture[2:], default=0)))[:2]
    if near and not any(change.startswith("an input of") for change in finding.changes):
        sizes = " or ".join(
            shown((picture[1], *(side for _ in picture[2:]))) for side in sorted(near)
        )
        inputs = f"an input of {sizes}: lets this layer pass"
        finding = replace(finding, changes=(inputs, *finding.changes))
    return Report(replace(examination, findings=(finding,)), line)


def _passing(stopped: Graph, sides: Iterable[int]) -> Iterator[int]:
    """Sides at which the operation would be done, as far as is seen."""
    if not has_sides(stopped):
        return
    for side in sides:
        try:
            propagate(stopped, square(stopped, side, batch=2))
        except UserError:
            continue
        yield side


def _at_another_size(
    network: Network, texts: tuple[str, ...], sides: Iterable[int], batch: int, training: bool
) -> Report | None:
    """A module that fails at its input, captured at one it takes and asked about the other."""
    if len(texts) != 1 or len(parse_shape(texts[0])) < 2:
        return None
    module = module_of(network)
    if module is None:
        return None
    channels, *space = parse_shape(texts[0])
    label = network if isinstance(network, str) else type(module).__name__
    for side in sides:
        size = "x".join(map(str, (channels, *(side for _ in space))))
        try:
            found = ask(module, size, batch=2, training=training).graph
        except UserError:
            continue
        graph = replace(found, name=label)
        with suppress(OtherWay):  # what it does there says nothing about the size asked about
            return Report(examine(graph, inputs_for(graph, texts, batch)))
    return None


def _sentences(finding: Finding) -> list[str]:
    named = re.search(rf"(?<![\w.]){re.escape(finding.place)}(?![\w.])", finding.says)
    place = f"{finding.place}: " if finding.place and not named else ""
    return [
        f"{finding.weight}  {place}{finding.says}",
        *(f"  mend by  {change}" for change in finding.changes),
    ]
