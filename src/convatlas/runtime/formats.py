"""The files a network can be exported to: how each is written, and run again to be compared."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convatlas.runtime.bundle import (
    SUFFIX,
    Bundle,
    BundleCard,
    card_json,
    packed,
    read_bundle,
)
from convatlas.runtime.cases import Fed
from convatlas.runtime.extras import need
from convatlas.runtime.network import Array, Network
from convatlas.runtime.onnx_file import INPUT, Form, quiet, to_onnx, to_program

CARD_KEY = "convatlas"  # under which the card stands in a file's own metadata
Runner = Callable[[Fed], Array]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: ``write`` puts it (and what belongs to it) at a path, ``open`` runs it."""

    suffix: str
    write: Callable[[Network, Form, BundleCard, Path], None]
    open: Callable[[Network, Path], Runner]


def write_bundle_file(network: Network, form: Form, card: BundleCard, path: Path) -> None:
    """Model and card in one file that needs no torch."""
    path.write_bytes(packed(Bundle(card, to_onnx(network, form))))


def write_onnx(network: Network, form: Form, card: BundleCard, path: Path) -> None:
    """Plain ONNX; the card is in its metadata."""
    path.write_bytes(with_card(to_onnx(network, form), card))


def with_card(blob: bytes, card: BundleCard) -> bytes:
    """An ONNX file with a card in its metadata."""
    onnx = need("onnx")
    model = onnx.load_from_string(blob)
    entry = model.metadata_props.add()
    entry.key, entry.value = CARD_KEY, card_json(card)
    changed: bytes = model.SerializeToString()
    return changed


def write_openvino(network: Network, form: Form, card: BundleCard, path: Path) -> None:
    """OpenVINO's pair of files; weights stay float32."""
    openvino = need("openvino")
    model = openvino.Core().read_model(to_onnx(network, form))
    model.set_rt_info(card_json(card), [CARD_KEY])
    openvino.save_model(model, path, compress_to_fp16=False)


def write_torchscript(network: Network, form: Form, card: BundleCard, path: Path) -> None:
    """TorchScript by tracing torch's exported program, which has no free Python left in it."""
    import torch

    with quiet():
        program = to_program(network, form)
        example = program.example_inputs[0]
        # torch leaves jit.trace and jit.load without annotations
        traced = torch.jit.trace(program.module(), example, check_trace=False)  # type: ignore[no-untyped-call]
        blob = io.BytesIO()  # a disk that is full ends the process inside torch's own writer
        torch.jit.save(traced, blob, _extra_files={"card.json": card_json(card)})
    path.write_bytes(blob.getvalue())


def write_safetensors(network: Network, form: Form, card: BundleCard, path: Path) -> None:
    """The weights alone; the card says which network they belong to."""
    from safetensors.torch import save_file

    # copies, as the format refuses tensors that share memory
    state = network.module.state_dict()
    tensors = {name: value.contiguous().clone() for name, value in state.items()}
    save_file(tensors, path, {CARD_KEY: card_json(card)})


def write_program(network: Network, form: Form, card: BundleCard, path: Path) -> None:
    """Torch's exported program."""
    import torch

    with quiet():
        blob, extra = io.BytesIO(), {"card.json": card_json(card)}  # in memory, as above
        torch.export.save(to_program(network, form), blob, extra_files=extra)
    path.write_bytes(blob.getvalue())


def open_onnx(network: Network, path: Path) -> Runner:
    """By ONNX Runtime."""
    return onnx_runner(path.read_bytes())


def open_bundle(network: Network, path: Path) -> Runner:
    """By ONNX Runtime, from the file read back."""
    return onnx_runner(read_bundle(path).model)


def onnx_runner(blob: bytes) -> Runner:
    """An ONNX file as a function."""
    ort = need("onnxruntime")
    session = ort.InferenceSession(blob, providers=["CPUExecutionProvider"])
    return lambda fed: session.run(None, {INPUT: fed})[0]


def open_openvino(network: Network, path: Path) -> Runner:
    """By OpenVINO in full precision."""
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = need("openvino").Core().compile_model(path, "CPU", settings)
    return lambda fed: np.array(compiled(fed)[0])


def open_torchscript(network: Network, path: Path) -> Runner:
    """By TorchScript's interpreter."""
    import torch

    with quiet():
        # as above
        return _torch_runner(torch.jit.load(path))  # type: ignore[no-untyped-call]


def open_program(network: Network, path: Path) -> Runner:
    """By torch."""
    import torch

    with quiet():
        return _torch_runner(torch.export.load(path).module())


def open_safetensors(network: Network, path: Path) -> Runner:
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


def _torch_runner(module: Any) -> Runner:
    import torch

    def run(fed: Fed) -> Array:
        with torch.inference_mode(), quiet():
            scores: Array = module(torch.from_numpy(fed)).numpy()
        return scores

    return run


FORMATS = {
    "bundle": Format(SUFFIX, write_bundle_file, open_bundle),
    "onnx": Format(".onnx", write_onnx, open_onnx),
    "openvino": Format(".xml", write_openvino, open_openvino),
    "torchscript": Format(".pt", write_torchscript, open_torchscript),
    "safetensors": Format(".safetensors", write_safetensors, open_safetensors),
    "exported-program": Format(".pt2", write_program, open_program),
}
