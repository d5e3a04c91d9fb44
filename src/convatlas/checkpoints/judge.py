"""Whether the weights of a file mean in a network what they meant where they were trained."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from convatlas import models
from convatlas.checkpoints.adapt import shapes_of, task_of, with_heads
from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.meaning import Graphs, difference, in_words, of_blueprint, same
from convatlas.checkpoints.read import WeightFile
from convatlas.checkpoints.recognise import OURS, Fit
from convatlas.checkpoints.record import Record, from_header
from convatlas.errors import UserError
from convatlas.models.family import Blueprint, Task

CARD = "card"  # in the header of a run's model file


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Of which network the file is, and how that is another one; ``against`` is empty if not."""

    of: str
    against: str = ""
    record: Record | None = None  # what the file says of itself


def judged(file: WeightFile, fit: Fit) -> Judgement:
    """Compare the network that the file is of with the one it is to fill, by their graphs."""
    ours = of_blueprint(fit.blueprint)
    stored = from_header(file.path, file.strings)
    if stored is not None:
        record, graphs = stored
        if same(ours, record.fingerprint, graphs):
            return Judgement(of=record.name, record=record)
        return Judgement(
            of=record.name,
            against=_unlike(file, record.name, fit.blueprint.name, ours, graphs),
            record=record,
        )
    if fit.layout is not OURS:
        return _published(file, fit, ours)
    if CARD in file.strings:
        trained = of_run(file)
        graphs = of_blueprint(trained)
        against = _unlike(file, trained.name, fit.blueprint.name, ours, graphs)
        return Judgement(of=trained.name, against=against)
    return _unmarked(file, fit, ours)


def meant(layout: Layout, blueprint: Blueprint[Any]) -> Blueprint[Any] | None:
    """The network of ours that a layout's files with tensors of these shapes contain."""
    if blueprint.name in layout.networks:
        return blueprint
    return next(_alike(layout.networks, blueprint), None)


def against_published(layout: Layout, blueprint: Blueprint[Any], ours: Graphs) -> tuple[str, str]:
    """What a layout's network is called here, and in words how it is another than this one."""
    found = meant(layout, blueprint)
    if found is None:
        why = layout.unlike or "no network here is what its library builds with these tensors"
        return layout.label, why
    if found is blueprint:
        return found.name, ""
    change = difference(ours, of_blueprint(found))
    return found.name, in_words(change) if change else ""


def _published(file: WeightFile, fit: Fit, ours: Graphs) -> Judgement:
    name = fit.blueprint.name
    of, words = against_published(fit.layout, fit.blueprint, ours)
    if not words:
        return Judgement(of=of)
    if of == fit.layout.label:
        line = (
            f"{file.path} has the layout of {of}, but {words}; load it all the same with force=True"
        )
        return Judgement(of=of, against=line)
    return Judgement(of=of, against=_refusal(file, of, name, words))


def _unmarked(file: WeightFile, fit: Fit, ours: Graphs) -> Judgement:
    """Our keys without a word of where they come from: good if only one network has them."""
    name = fit.blueprint.name
    for other in _alike(tuple(fit.blueprint.family.variants), fit.blueprint):
        change = difference(ours, of_blueprint(other)) if other.name != name else None
        if change is not None:
            line = (
                f"{file.path} has no fingerprint, and could be of {other.name} as well as of "
                f"{name}, unlike it in: {in_words(change)}; load it with force=True if you know it "
                f"is of {name}, and save it again with convatlas.save_weights"
            )
            return Judgement(of=name, against=line)
    return Judgement(of=name)


def _alike(names: tuple[str, ...], blueprint: Blueprint[Any]) -> Iterator[Blueprint[Any]]:
    """The named networks, for the same task, whose tensors have the keys and shapes of this one."""
    shapes = shapes_of(blueprint)
    base = blueprint.name.partition("@")[0]
    for name in sorted(names, key=lambda n: n.partition("@")[0] != base):
        try:
            other = models.blueprint(name, task_of(blueprint))
        except UserError:
            continue
        other = with_heads(other, wanted=getattr(blueprint.spec, "auxiliary", True))
        if shapes_of(other) == shapes:
            yield other


def of_run(file: WeightFile) -> Blueprint[Any]:
    """The network of a run's card."""
    try:
        network = msgspec.json.decode(file.strings[CARD])["network"]
        fields = ("num_classes", "in_channels", "image_size", "dropout")
        task = Task(**{field: network[field] for field in fields})
        return models.blueprint(network["name"], task)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file.path}: its card cannot be read: {error}; train again") from None


def _unlike(file: WeightFile, of: str, name: str, ours: Graphs, graphs: Graphs) -> str:
    change = difference(ours, graphs)
    return _refusal(file, of, name, in_words(change)) if change else ""


def _refusal(file: WeightFile, of: str, name: str, words: str) -> str:
    unlike = f"unlike {name}" if of != name else f"unlike today's {name}"
    create = f"create {of}, or " if of != name else ""
    return (
        f"{file.path} is of {of}, which has, {unlike}, {words}; "
        f"{create}load it all the same with force=True"
    )
