"""Exporting a network to a file that is then run and compared, with a receipt."""

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

from convatlas.errors import UserError
from convatlas.nearest import closest
from convatlas.runtime.bundle import BundleCard, Compared
from convatlas.runtime.cases import cases
from convatlas.runtime.formats import FORMATS
from convatlas.runtime.network import Network
from convatlas.runtime.onnx_file import OPSET, Form

TOLERANCE = 1e-4  # relative, for float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was written, and how near to torch eager the written file computes."""

    network: str
    to: str
    files: tuple[Path, ...]
    bytes: int
    seconds: float
    card: BundleCard

    @property
    def error(self) -> float:
        """The largest relative error over all inputs."""
        return max(each.error for each in self.card.compared)


def export(network: Network, to: str, path: Path, form: Form = Form()) -> Receipt:  # noqa: B008
    """Write the network, run what was written, compare; nothing is left if it is not equal.

    Raises `UserError` for an unknown format, a form the network cannot take, a missing extra, or
    a file that computes something else.
    """
    if to not in FORMATS:
        raise UserError(
            f"unknown format {to!r}{closest(to, tuple(FORMATS))}; known: {', '.join(FORMATS)}"
        )
    if to == "safetensors" and form.fused:
        raise UserError("safetensors holds weights alone; a preparation cannot be fused into it")
    if path.is_dir():
        raise UserError(f"{path} is a folder; give --out the name of a file to write")
    if not path.parent.is_dir():
        raise UserError(f"there is no folder {path.parent} to write {path.name} into; make it")
    started = time.perf_counter()
    card = make_card(network, form)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        written = Path(folder) / path.with_suffix(FORMATS[to].suffix).name
        FORMATS[to].write(network, form, card, written)
        card = msgspec.structs.replace(card, compared=compare(network, to, form, card, written))
        if to == "bundle":
            _note(written, card)
        files = _moved(Path(folder), path.parent)
    return Receipt(
        network=network.name,
        to=to,
        files=files,
        bytes=sum(file.stat().st_size for file in files),
        seconds=time.perf_counter() - started,
        card=card,
    )


def make_card(network: Network, form: Form) -> BundleCard:
    """The card of an export before it is compared."""
    channels, height, width = network.shape
    frame = 2 * network.preparation.pad if form.fused and network.preparation else 0
    sizes = (None, None) if form.dynamic_size else (height - frame, width - frame)
    packages = ("convatlas", "torch", "onnx", "onnxruntime")
    return BundleCard(
        network=network.name,
        input=(None if form.dynamic_batch else 1, channels, *sizes),
        preparation=network.preparation,
        fused=form.fused,
        labels=network.labels,
        opset=OPSET,
        versions={name: _version(name) for name in packages}
        | {"python": platform.python_version()},
    )


def compare(
    network: Network, to: str, form: Form, card: BundleCard, path: Path
) -> tuple[Compared, ...]:
    """Run a written file on every case; `UserError` if one differs by more than the tolerance."""
    run = FORMATS[to].open(network, path)
    found = tuple(case.compare(run(case.fed)) for case in cases(network, form, card))
    worst = max(found, key=lambda each: each.error)
    if not worst.error <= TOLERANCE:
        raise UserError(
            f"{to} computes something else than {network.name}: relative error {worst.error:.1e} "
            f"on {worst.inputs}, at most {TOLERANCE:.0e} is accepted; nothing was written"
        )
    return found


def _note(path: Path, card: BundleCard) -> None:
    """Put the compared card into a bundle."""
    from convatlas.runtime.bundle import Bundle, read_bundle, write_bundle

    write_bundle(path, Bundle(card, read_bundle(path).model))


def _moved(folder: Path, to: Path) -> tuple[Path, ...]:
    """The files of a folder in their final place."""
    files = []
    for file in sorted(folder.iterdir()):
        os.replace(file, to / file.name)
        files.append(to / file.name)
    return tuple(files)


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
