"""Which layout a file has, by its keys; and of which network it seems to be, if not of this one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from convatlas import atlas
from convatlas.checkpoints.adapt import Shapes, fitting, of_size, shapes_of, task_of, with_heads
from convatlas.checkpoints.layouts import LAYOUTS
from convatlas.checkpoints.layouts.layout import Layout
from convatlas.checkpoints.meaning import difference, in_words
from convatlas.checkpoints.read import WeightFile
from convatlas.checkpoints.rules import renamed
from convatlas.errors import UserError
from convatlas.models.family import Blueprint

OURS = Layout(sources=("convatlas",), networks=(), rules=())
COUNTER = "num_batches_tracked"  # older files have none
NONE_LIKE_IT = "no network here has keys and shapes like these"
PREPROCESS = "preprocess."  # beside the weights in the model file of a run


@dataclass(frozen=True, slots=True)
class Fit:
    """How a file fills a network: for each of our keys the tensor of its own."""

    blueprint: Blueprint[Any]
    layout: Layout
    names: dict[str, str]  # our key to theirs
    tensors: dict[str, Tensor]  # the file's, by their key as it is written today

    @property
    def missing(self) -> list[str]:
        """Keys of theirs that the file should have."""
        keys = self.names.values()
        return [k for k in keys if k not in self.tensors and not k.endswith(COUNTER)]

    @property
    def unexpected(self) -> list[str]:
        """Keys that this network has no place for."""
        known = set(self.names.values())
        return [key for key in self.tensors if key not in known]


def fitted(file: WeightFile, blueprint: Blueprint[Any]) -> Fit:
    """How the file fills the network; raises `UserError` if it does not."""
    fits = list(_fits(file, blueprint))
    best = min(fits, key=lambda fit: len(fit.missing) + len(fit.unexpected))
    if best.missing or best.unexpected:
        raise UserError(_other_keys(file, best))
    _check(file, best)
    return best


def theirs(layout: Layout, shapes: Shapes) -> dict[str, str] | None:
    """A layout's key for each of our keys; ``None`` if it is not a layout of this network."""
    return {key: key for key in shapes} if layout is OURS else renamed(shapes, layout.rules)


def _fits(file: WeightFile, blueprint: Blueprint[Any]) -> Iterator[Fit]:
    """Every reading of the file as this network, with its auxiliary heads and without."""
    content = {k: v for k, v in file.tensors.items() if not k.startswith(PREPROCESS)}
    bare = with_heads(blueprint, wanted=False)
    for form in (blueprint, *([bare] if bare is not blueprint else [])):
        shapes = shapes_of(form)
        for layout in (OURS, *LAYOUTS.get(form.family.name, ())):
            names = theirs(layout, shapes)
            if names is not None:
                present = layout.present(content)
                yield Fit(form, layout, names, {now: content[key] for now, key in present.items()})


def _check(file: WeightFile, fit: Fit) -> None:
    """Raise `UserError` for tensors of another shape or kind."""
    expected = fit.blueprint.layout().state_dict()
    wrong = []
    for key, other in fit.names.items():
        if other not in fit.tensors:
            continue
        value = fit.tensors[other]
        if _shape(value, other, fit) != tuple(expected[key].shape):
            wrong.append((key, other))
        elif not _same_kind(value, expected[key]):
            kinds = [str(t.dtype).removeprefix("torch.") for t in (value, expected[key])]
            raise UserError(
                f"{file.path}: {other} is {kinds[0]}{'' if _strided(value) else ', sparse'}, "
                f"{fit.blueprint.name} needs {kinds[1]}; convert the file's tensors first"
            )
    if wrong:
        raise UserError(_other_shapes(file, fit, wrong, expected))


def _same_kind(value: Tensor, expected: Tensor) -> bool:
    if not _strided(value):
        return False
    if expected.is_floating_point():
        return value.dtype == expected.dtype
    return not value.is_floating_point() and not value.is_complex()


def _strided(value: Tensor) -> bool:
    return str(value.layout) == "torch.strided" and not value.is_quantized


def _shape(value: Tensor, key: str, fit: Fit) -> tuple[int, ...]:
    """A tensor's shape as ours has it."""
    shape = tuple(value.shape)
    return shape[:2] if key in fit.layout.pointwise and shape[2:] == (1, 1) else shape


def _other_shapes(
    file: WeightFile, fit: Fit, wrong: list[tuple[str, str]], expected: dict[str, Tensor]
) -> str:
    """Shapes that are not this network's; the task that makes them so, or whose they seem to be."""
    blueprint, (key, other) = fit.blueprint, wrong[0]
    found = _times(tuple(fit.tensors[other].shape))
    line = (
        f"{file.path} does not fit {blueprint.name}: {other} is {found}, "
        f"expected {_times(tuple(expected[key].shape))}"
    )
    given = task_of(blueprint)
    shapes = {
        k: _shape(fit.tensors[t], t, fit) if t in fit.tensors else tuple(expected[k].shape)
        for k, t in fit.names.items()
    }
    heads = getattr(blueprint.spec, "auxiliary", True)
    task = fitting(blueprint.name, given, shapes, heads=heads)
    if task is None:
        return f"{line}; {_seems(file, blueprint.name)}"
    fields = ("num_classes", "in_channels")
    changed = [f"{f}={getattr(task, f)}" for f in fields if getattr(task, f) != getattr(given, f)]
    return f"{line}; it fits with task=Task({', '.join(changed)})"


def _other_keys(file: WeightFile, fit: Fit) -> str:
    """Keys that are not this network's, the first of each kind, and whose they seem to be."""
    said = []
    shapes = shapes_of(fit.blueprint)
    if fit.missing:
        first = fit.missing[0]
        ours = next(key for key, other in fit.names.items() if other == first)
        more = f" and {len(fit.missing) - 1} more" if fit.missing[1:] else ""
        said.append(f"it has no {first} ({_times(shapes[ours])}){more}")
    if fit.unexpected:
        first = fit.unexpected[0]
        more = f" and {len(fit.unexpected) - 1} more" if fit.unexpected[1:] else ""
        found = _times(tuple(fit.tensors[first].shape))
        said.append(f"{fit.blueprint.name} has no place for {first} ({found}){more}")
    name = fit.blueprint.name
    return f"{file.path} does not fit {name}: {', and '.join(said)}; {_seems(file, name)}"


def _seems(file: WeightFile, wanted: str) -> str:
    """The network whose keys and shapes are nearest; what another profile has otherwise."""
    nearest = max(_near(file), key=lambda found: found[0], default=None)
    if nearest is None:  # none has about as many weights
        return NONE_LIKE_IT
    share, name, layout = nearest
    if share < 0.5:
        return NONE_LIKE_IT
    if name == wanted:
        return f"the rest is of {wanted}, so the file is not whole or was added to; save it again"
    whose = "" if layout is OURS else f" in the layout of {layout.label}"
    words = ""
    if name != wanted and name.partition("@")[0] == wanted.partition("@")[0]:
        change = difference((atlas.graph(wanted),), (atlas.graph(name),))
        words = f", which has, unlike {wanted}, {in_words(change)}" if change else ""
    return f"by keys and shapes it seems to be of {name}{whose}{words}; create that one"


def _near(file: WeightFile) -> Iterator[tuple[float, str, Layout]]:
    """How much of the file is also in each network, in each of its layouts."""
    content = {k: tuple(v.shape) for k, v in file.tensors.items() if not k.endswith(COUNTER)}
    for entry in of_size(content):
        shapes = _state(entry.name)
        for layout in (OURS, *LAYOUTS.get(entry.family, ())):
            names = theirs(layout, shapes)
            if names is None:
                continue
            present = layout.present(content)
            same = sum(content.get(present.get(names[k], "")) == s for k, s in shapes.items())
            means = 1e-6 * (entry.name in layout.networks)  # of equal ones, the one that is meant
            yield same / max(len(shapes), len(present), 1) + means, entry.name, layout


def _state(name: str) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of a network's state but for counters, from the atlas."""
    kept = ("weight", "bias", "running_mean", "running_var", "table")
    return {
        p.names[0]: p.shape
        for p in atlas.graph(name).parameters
        if not p.buffer or p.names[0].endswith(kept)
    }


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
