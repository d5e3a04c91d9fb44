"""The files a network can be exported to: how each is written, and run again to be compared."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convatlas.files import give_rights
from convatlas.runtime.bundle import (
    CARD,
    Bundle,
    BundleCard,
    card_json,
    packed,
    read_bundle,
)
from convatlas.runtime.extras import need
from convatlas.runtime.network import Array, Network
from convatlas.runtime.onnx_file import Form, quiet, to_onnx, to_program
from convatlas.runtime.sessions import Fed, Run, onnx_runner, openvino_core, openvino_runner

CARD_KEY = "convatlas"  # under which the card stands in a file's own metadata


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    ``make`` turns a network into what the format holds, ``save`` puts that with a card at a path
    (and beside it, what belongs to it), ``open`` runs a file: by what is in it alone, but for
    weights alone, which are run in the network.
    """

    make: Callable[[Network, Form], Any]
    save: Callable[[Any, BundleCard, Path], None]
    open: Callable[[Network, Path], Run]


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be written: a network to a format in a form, and the card that goes with it."""

    network: Network
    to: str
    form: Form
    card: BundleCard


def save_bundle(blob: bytes, card: BundleCard, path: Path) -> None:
    """An ONNX file and the card in one file that needs no torch."""
    path.write_bytes(packed(Bundle(card, blob)))


def save_onnx(blob: bytes, card: BundleCard, path: Path) -> None:
    """Plain ONNX; the card is in its metadata."""
    model = need("onnx").load_from_string(blob)
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD_KEY, card_json(card)
    path.write_bytes(model.SerializeToString())


def make_openvino(network: Network, form: Form) -> Any:
    """OpenVINO's model, read from ONNX."""
    return openvino_core().read_model(to_onnx(network, form))


def save_openvino(model: Any, card: BundleCard, path: Path) -> None:
    """OpenVINO's pair of files; weights stay as they are."""
    model.set_rt_info(card_json(card), [CARD_KEY])
    try:
        need("openvino").save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:  # it does not say why
        raise _reason(path.parent) or error from None


def _reason(folder: Path) -> OSError | None:
    """Why writing into a folder broke off: what the system says when there is to be more of it."""
    for file in (*folder.iterdir(), folder / "more"):
        try:
            with file.open("ab") as opened:
                opened.write(bytes(2**20))
        except OSError as error:
            return error
    return None


def make_torchscript(network: Network, form: Form) -> Any:
    """TorchScript by tracing torch's exported program, which has no free Python left in it."""
    import torch

    with quiet():
        program = to_program(network, form)
        # torch leaves jit.trace, jit.save and jit.load without annotations
        return torch.jit.trace(  # type: ignore[no-untyped-call]
            program.module(), program.example_inputs[0], check_trace=False
        )


def save_torchscript(traced: Any, card: BundleCard, path: Path) -> None:
    """TorchScript; the card is an extra file inside."""
    import torch

    blob = io.BytesIO()  # a disk that is full ends the process inside torch's own writer
    with quiet():
        torch.jit.save(traced, blob, _extra_files={CARD: card_json(card)})
    with zipfile.ZipFile(blob) as whole, zipfile.ZipFile(path, "w") as kept:
        for name in whole.namelist():
            if not name.endswith(".debug_pkl"):  # it tells where the code lies, and is not needed
                kept.writestr(zipfile.ZipInfo(name), whole.read(name))


def make_weights(network: Network, form: Form) -> Any:
    """The weights by name, copied, as safetensors refuses tensors that share memory."""
    state = network.module.state_dict()
    return {name: value.contiguous().clone() for name, value in state.items()}


def save_safetensors(weights: Any, card: BundleCard, path: Path) -> None:
    """The weights alone; the card says which network they belong to."""
    from safetensors.torch import save_file

    save_file(weights, path, {CARD_KEY: card_json(card)})
    give_rights(path)


def save_program(program: Any, card: BundleCard, path: Path) -> None:
    """Torch's exported program; the card is an extra file inside."""
    import torch

    blob = io.BytesIO()  # as above
    with quiet():
        torch.export.save(program, blob, extra_files={CARD: card_json(card)})
    path.write_bytes(blob.getvalue())


def open_onnx(network: Network, path: Path) -> Run:
    """By ONNX Runtime."""
    return onnx_runner(path.read_bytes())


def open_bundle(network: Network, path: Path) -> Run:
    """By ONNX Runtime, from the file read back."""
    return onnx_runner(read_bundle(path).model)


def open_openvino(network: Network, path: Path) -> Run:
    """By OpenVINO in full precision."""
    return openvino_runner(openvino_core().read_model(path))


def open_torchscript(network: Network, path: Path) -> Run:
    """By TorchScript's interpreter."""
    import torch

    with quiet():
        # as above
        return _torch_runner(torch.jit.load(path))  # type: ignore[no-untyped-call]


def open_program(network: Network, path: Path) -> Run:
    """By torch."""
    import torch

    with quiet():
        return _torch_runner(torch.export.load(path).module())


def open_safetensors(network: Network, path: Path) -> Run:
    """In a copy of the network whose weights were all overwritten from the file."""
    import copy

    import torch
    from safetensors.torch import load_file

    module = copy.deepcopy(network.module)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            tensor.zero_()
    module.load_state_dict(load_file(path))
    return _torch_runner(module)


def _torch_runner(module: Any) -> Run:
    import torch

    def run(fed: Fed) -> Array:
        with torch.inference_mode(), quiet():
            scores: Array = module(torch.from_numpy(fed)).numpy()
        return scores

    return run


FORMATS = {
    "bundle": Format(to_onnx, save_bundle, open_bundle),
    "onnx": Format(to_onnx, save_onnx, open_onnx),
    "openvino": Format(make_openvino, save_openvino, open_openvino),
    "torchscript": Format(make_torchscript, save_torchscript, open_torchscript),
    "safetensors": Format(make_weights, save_safetensors, open_safetensors),
    "exported-program": Format(to_program, save_program, open_program),
}
