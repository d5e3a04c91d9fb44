"""Exporting a network to a file that is then run and compared, with a receipt."""

import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from safetensors import SafetensorError

from convatlas.errors import UserError, one_line
from convatlas.files import room
from convatlas.runtime.bundle import BundleCard, Compared
from convatlas.runtime.cases import Case, cases
from convatlas.runtime.closeness import EQUAL
from convatlas.runtime.extras import version_of
from convatlas.runtime.format_names import format_of, target
from convatlas.runtime.formats import FORMATS, Export
from convatlas.runtime.int8.quantised import Plan
from convatlas.runtime.int8.write import write_int8
from convatlas.runtime.network import Array, Network
from convatlas.runtime.onnx_file import OPSET, Form
from convatlas.runtime.sessions import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was written, and how near to torch eager the written file computes.

    ``seconds``: from the call, with the import of torch and the making of the network.
    """

    network: str
    to: str
    files: tuple[Path, ...]
    replaced: tuple[Path, ...]  # of these files, those that were there before
    bytes: int
    seconds: float
    card: BundleCard

    @property
    def error(self) -> float:
        """The largest relative error over all inputs."""
        return max(each.error for each in self.card.compared)

    @property
    def is_onnx(self) -> bool:
        """Whether there is ONNX in the file, so that an opset means something."""
        return self.to in ("bundle", "onnx")


def export(
    network: Network,
    to: str | None,
    path: Path,
    form: Form = Form(),  # noqa: B008
    plan: Plan | None = None,
) -> Receipt:
    """Write the network, run what was written, compare; nothing is left if it is not equal.

    With a ``plan`` in int8, which is not equal: it is judged by the plan's pictures instead.

    ``to``: by default what the suffix of ``path`` says, else a bundle.

    Raises `UserError` for an unknown format, a form the network cannot take, a missing extra, or
    a file that computes something else.
    """
    to = format_of(to, path)
    if to == "safetensors" and form.fused:
        raise UserError("safetensors holds weights alone; a preparation cannot be fused into it")
    path = target(path, to)
    started = time.perf_counter()
    inputs = cases(network, form)  # first, as a size the network does not take shows here
    card = make_card(network, form, to)
    with _told(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=".export.") as folder:
        written = Path(folder) / path.name
        what = Export(network, to, form, card)
        if plan:
            card = write_int8(what, plan, partial(compare, network, "onnx", inputs), written)
        else:
            card = write(what, inputs, written)
        files = tuple(path.parent / file.name for file in sorted(written.parent.iterdir()))
        replaced = tuple(file for file in files if file.exists())
        _put(written, path)
    return Receipt(
        network=network.name,
        to=to,
        files=files,
        replaced=replaced,
        bytes=sum(file.stat().st_size for file in files),
        seconds=time.perf_counter() - started,
        card=card,
    )


def make_card(network: Network, form: Form, to: str = "bundle") -> BundleCard:
    """The card of an export to a format before it is compared."""
    channels, height, width = network.shape
    frame = 2 * network.preparation.pad if form.fused and network.preparation else 0
    sizes = (None, None) if form.dynamic_size else (height - frame, width - frame)
    packages = ("convatlas", "torch", "onnx", "onnxruntime", *(("openvino",) * (to == "openvino")))
    return BundleCard(
        network=network.name,
        input=(None if form.dynamic_batch else 1, channels, *sizes),
        preparation=network.preparation,
        fused=form.fused,
        labels=network.labels,
        opset=OPSET,
        source=dict(network.source),
        versions={name: version_of(name) for name in packages}
        | {"python": platform.python_version()},
    )


def write(what: Export, inputs: Sequence[Case], path: Path) -> BundleCard:
    """Write a file, compare it on every input, write it with what was found; the card in it."""
    kind = FORMATS[what.to]
    made = kind.make(what.network, what.form)
    kind.save(made, what.card, path)
    found = compare(what.network, what.to, inputs, path)
    for file in path.parent.iterdir():  # an engine may still hold it in memory
        file.unlink()
    card = msgspec.structs.replace(what.card, compared=found)
    kind.save(made, card, path)
    compare(what.network, what.to, inputs[:1], path)
    return card


def compare(network: Network, to: str, inputs: Sequence[Case], path: Path) -> tuple[Compared, ...]:
    """Run a written file on every case; `UserError` if one differs by more than the tolerance."""
    run = FORMATS[to].open(network, path)
    found = tuple(case.compare(_answer(run, case)) for case in inputs)
    worst = max(found, key=lambda each: each.error)
    if not worst.error <= EQUAL:
        raise UserError(
            f"{to} computes something else than {network.name}: relative error {worst.error:.1e} "
            f"on {worst.inputs}, at most {EQUAL:.0e} is accepted; nothing was written"
        )
    return found


def _answer(run: Run, case: Case) -> Array:
    """What the written file says; an engine that breaks off has said nothing that could be equal.

    That happens at sizes that an exporter has fixed without saying so.
    """
    try:
        return run(case.fed)
    except Exception as error:  # engines raise what they like
        raise UserError(
            f"the written file fails on {case.label}: {one_line(error)}; nothing was kept"
        ) from error


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A disk that is full or a folder that cannot be written, as one line.

    Some writers raise an error of their own and say the system's reason in its text.
    """
    try:
        yield
    except UserError:
        raise
    except (OSError, RuntimeError, SafetensorError) as error:
        said = getattr(error, "strerror", None) or one_line(error)
        # what is no OSError comes from a writer that was let into the folder
        full = not isinstance(error, OSError) or room(error)
        out = "make room, or choose another folder or format" if full else "choose another folder"
        raise UserError(f"cannot write {path}: {said}; {out}") from error


def _put(written: Path, path: Path) -> None:
    """Move the file to its final path, and beside it those that belong to it.

    A file alone replaces an older one at once. Of several, the one that is opened goes first and
    comes last, so that an older one is never there with the new weights beside it.
    """
    files = sorted(written.parent.iterdir())
    for file in files:
        with file.open("rb+") as opened:
            os.fsync(opened.fileno())
    others = [file for file in files if file != written]
    if others:
        path.unlink(missing_ok=True)
    for file in (*others, written):
        os.replace(file, path.parent / file.name)
