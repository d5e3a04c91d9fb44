"""The doctor: what is wrong with a network at an input, and the smallest change that mends it."""

import json
from dataclasses import asdict, dataclass, replace
from html import escape

from convatlas.analysis.doctor.examine import Examination, examine
from convatlas.analysis.doctor.finding import Finding
from convatlas.analysis.legal import takes
from convatlas.analysis.picture import inputs_for, parse_shape
from convatlas.errors import UserError
from convatlas.graph.operation import shown
from convatlas.tables import Table, render
from convatlas.workbench.ask import Network, Sizes, ask, module_of, texts_of

# Sides at which a module is tried that cannot be captured at the one asked about.
USUAL = (224, 256, 32, 227, 299, 64, 128, 96, 384, 512, 28, 572)
SIDES = (*USUAL, *(side for side in range(1, 641) if side not in USUAL))


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, to be read or printed."""

    examination: Examination

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
        lines = [f"{found.graph.name} at {inputs}", takes(found.graph, found.legal)]
        for finding in found.findings:
            lines += ["", *_sentences(finding)]
        if not found.findings:
            lines += ["", "nothing to mend"]
        return "\n".join(lines)

    def _document(self) -> dict[str, object]:
        found = self.examination
        return {
            "network": found.graph.name,
            "inputs": found.inputs,
            "legal": asdict(found.legal),
            "findings": [asdict(finding) for finding in found.findings],
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        found = self.examination
        inputs = ", ".join(shown(shape) for shape in found.inputs)
        head = escape(f"{found.graph.name} at {inputs}: {takes(found.graph, found.legal)}")
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
        found = _at_another_size(network, texts, batch, training)
        if found is None:
            raise error from None
        return found


def _at_another_size(
    network: Network, texts: tuple[str, ...], batch: int, training: bool
) -> Report | None:
    """A module that fails at its input, captured at one it takes and asked about the other."""
    if len(texts) != 1 or len(parse_shape(texts[0])) < 2:
        return None
    module = module_of(network)
    if module is None:
        return None
    channels, *space = parse_shape(texts[0])
    label = network if isinstance(network, str) else type(module).__name__
    for side in SIDES:
        size = "x".join(map(str, (channels, *(side for _ in space))))
        try:
            found = ask(module, size, batch=2, training=training).graph
        except UserError:
            continue
        graph = replace(found, name=label)
        return Report(examine(graph, inputs_for(graph, texts, batch)))
    return None


def _sentences(finding: Finding) -> list[str]:
    place = f"{finding.place}: " if finding.place and finding.place not in finding.says else ""
    return [
        f"{finding.weight}  {place}{finding.says}",
        *(f"  mend by  {change}" for change in finding.changes),
    ]
