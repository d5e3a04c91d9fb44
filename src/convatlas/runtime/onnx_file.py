"""A network as ONNX, by torch's own exporter (the dynamo one).

An example of one picture would fix the batch, so two are given.
"""

import contextlib
import io
import logging
import re
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from convatlas.errors import UserError, argued, with_kind
from convatlas.runtime.bundle import Preparation, array
from convatlas.runtime.extras import need
from convatlas.runtime.form import Form as Form
from convatlas.runtime.network import Network
from convatlas.runtime.onnx_rewrites import rewritten

INPUT, OUTPUT, BATCH = "pixels", "scores", "batch"
OPSET = 20
DYNAMIC_SIZE = ("dynamic_size", "--dynamic-size")  # in Python, on the command line
MOST_BYTES = 2**31 - 2**24  # protobuf ends at 2 GiB; some room for the graph itself


class Fused(nn.Module):
    """A preparation, then the network: uint8 (N, C, H, W) to scores."""

    def __init__(self, preparation: Preparation, module: nn.Module) -> None:
        super().__init__()
        mean, deviation = (
            torch.from_numpy(array(which)) for which in (preparation.mean, preparation.deviation)
        )
        self.pad = preparation.pad
        self.register_buffer("scale", (255 * deviation).reciprocal())
        self.register_buffer("offset", -mean / deviation)
        self.module = module

    def forward(self, pixels: Tensor) -> Tensor:
        """As `convatlas.data.preprocess.Preprocess`, then the scores."""
        x = F.pad(pixels.float(), (self.pad,) * 4) if self.pad else pixels.float()
        return self.module(x * self.get_buffer("scale") + self.get_buffer("offset"))


def to_program(
    network: Network,
    form: Form = Form(),  # noqa: B008 - a frozen value
) -> ExportedProgram:
    """The network as torch's exported program; `UserError` where it cannot take the form."""
    module, example = _module(network, form), _example(network, form)
    if form.dynamic_size:
        _check_one_way(network)
    dims = {}
    if form.dynamic_batch:
        dims[0] = Dim(BATCH)
    if form.dynamic_size:  # what the network then demands of a size is found while exporting
        dims |= {2: Dim.AUTO, 3: Dim.AUTO}
    graph = io.StringIO()  # which torch prints on standard error where it fails
    with quiet(), contextlib.redirect_stderr(graph), _told(network, "torch cannot export"):
        program = torch.export.export(module, (example,), dynamic_shapes=(dims or None,))
    if form.dynamic_size:
        _check_free(network, program)
    for node in program.graph.nodes:  # files would tell where the code lies, and its lines
        node.meta.pop("stack_trace", None)
    return program


def to_onnx(network: Network, form: Form = Form()) -> bytes:  # noqa: B008 - a frozen value
    """The network as an ONNX file with input ``pixels`` and output ``scores``.

    Raises `UserError` where torch cannot export it, or its weights are more than one file holds.
    """
    need("onnxscript")
    _check_bytes(network)
    with quiet(), _told(network, "torch's ONNX exporter fails on"):
        made = torch.onnx.export(
            rewritten(to_program(network, form)),
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
        )
        assert made is not None
        return _named(made.model_proto).SerializeToString()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without torch's warnings about its own code, its progress and unsolved inequalities.

    Nor does it say that torchvision is not installed, of which nothing here needs the operations.
    """
    talkative = logging.getLogger("torch.fx.experimental.symbolic_shapes")
    level = talkative.level
    talkative.setLevel(logging.CRITICAL)
    registering = logging.getLogger("torch.onnx._internal.exporter._registration")

    def is_of_use(record: logging.LogRecord) -> bool:
        # one for each call: an inner one would take the outer one's filter away
        return not record.getMessage().startswith("torchvision is not installed")

    registering.addFilter(is_of_use)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        talkative.setLevel(level)
        registering.removeFilter(is_of_use)


@contextlib.contextmanager
def _told(network: Network, what: str) -> Iterator[None]:
    """Whatever the exporter raises as one line; it raises many kinds, with pages of text."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        cause = error
        while cause.__cause__ is not None:  # the exporter wraps the error that says something
            cause = cause.__cause__  # type: ignore[assignment]
        if isinstance(cause, UserError):
            raise cause from error
        if isinstance(cause, GuardOnDataDependentSymNode):
            raise _branches(network, cause) from error
        raise UserError(f"{what} {network.name}: {with_kind(cause)}") from error


def _branches(network: Network, error: Exception) -> UserError:
    """What is said of a module that goes one way or another by what is in a tensor, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "-packages" not in frame.filename and frame.line]
    where = ""
    if own:
        where = f' ({Path(own[-1].filename).name}, line {own[-1].lineno}, "{own[-1].line}")'
    return argued(
        f"the code of {network.name} branches on values{where}, an exported file cannot; compute "
        "both ways and take one with torch.where, or use ",
        ("the format", "--to"),
        " safetensors, which holds weights alone",
    )


def _check_one_way(network: Network) -> None:
    """Refuse a module whose code compares sizes: exported, it would go one way at every size.

    torch may also search for minutes what the comparisons allow (Swin's windows).
    """
    from convatlas.capture.capture import capture

    try:
        guards = capture(network.module, (1, *network.shape), name=network.name).guards
    except UserError:  # torch's exporter may know operations that ours does not
        return
    if guards:
        where = f" (in {guards[0].path})" if guards[0].path else ""
        raise argued(
            f"the code of {network.name} decides by the size of its maps{where}, an exported file "
            "cannot; leave ",
            DYNAMIC_SIZE,
            " out",
        )


def _check_free(network: Network, program: ExportedProgram) -> None:
    """Refuse a program whose height or width torch has fixed, as the module's code demands it."""
    fixed = [size for size in _input_shape(program)[2:] if isinstance(size, int)]
    if fixed:
        raise argued(
            f"the code of {network.name} works for a side of {fixed[0]} alone once it is exported; "
            "leave ",
            DYNAMIC_SIZE,
            " out",
        )


def _input_shape(program: ExportedProgram) -> tuple[int | torch.SymInt, ...]:
    names = program.graph_signature.user_inputs
    node = next(n for n in program.graph_module.graph.nodes if n.name == names[0])
    return tuple(node.meta["val"].shape)


def _check_bytes(network: Network) -> None:
    total = sum(t.numel() * t.element_size() for t in network.module.state_dict().values())
    if total > MOST_BYTES:
        raise argued(
            f"the weights of {network.name} take {total / 2**30:.1f} GiB, an ONNX file holds "
            f"{MOST_BYTES / 2**30:.1f}; use ",
            ("the format", "--to"),
            " safetensors, torchscript or exported-program",
        )


def _module(network: Network, form: Form) -> nn.Module:
    if not form.fused:
        return network.module
    if network.preparation is None:
        raise argued(
            f"{network.name} has no preparation to fuse; export a run, or leave ",
            ("fused", "--fuse"),
            " out",
        )
    return Fused(network.preparation, network.module).eval()


def _example(network: Network, form: Form) -> Tensor:
    channels, height, width = network.shape
    batch = 2 if form.dynamic_batch else 1
    if not form.fused:
        return torch.zeros(batch, channels, height, width)
    assert network.preparation
    frame = 2 * network.preparation.pad
    return torch.zeros(batch, channels, height - frame, width - frame, dtype=torch.uint8)


def _named(proto: Any) -> Any:
    """With the free sizes called ``batch``, ``height`` and ``width``, not as the exporter counts.

    A size that depends on them (a map of scores) keeps the exporter's formula with the new names.
    """
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    names = {
        dim.dim_param: name
        for dim, name in zip(dims, (BATCH, "channels", "height", "width"), strict=True)
        if dim.dim_param
    }
    for value in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = re.sub(
                    r"\w+", lambda word: names.get(word[0], word[0]), dim.dim_param
                )
    return proto
