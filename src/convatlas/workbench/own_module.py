"""A module of one's own as a network to be run: on the CPU, in evaluation mode, in float32."""

import copy
import inspect
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.analysis.picture import parse_shape
from convatlas.errors import UserError, argued, with_kind
from convatlas.workbench.ask import Sizes, texts_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from convatlas.runtime.network import Network

# in Python, on the command line
INPUT = ("input, like input=(3, 224, 224)", "--input, like 3x224x224")


def own_network(what: "str | nn.Module", size: Sizes | None) -> "Network":
    """What stands at ``package.module:name``, or a copy of a module in hand.

    ``size``: its input, like 3x224x224 or (3, 224, 224). Raises `UserError` for what
    is no network of pictures.
    """
    import torch

    from convatlas.runtime.network import Network
    from convatlas.workbench.ask import module_of

    label = what if isinstance(what, str) else type(what).__name__
    with torch.random.fork_rng(devices=()):  # weights that it draws are the same every time
        torch.manual_seed(0)
        module = module_of(what)
    assert module is not None
    shape = _shape(label, size)
    kinds = {t.dtype for t in module.state_dict().values() if t.is_floating_point()}
    if any(tensor.is_meta for tensor in module.state_dict().values()):
        raise UserError(f"{label} has no weights, it lies on the meta device; give one that has")
    network = Network(
        name=label,
        module=copy.deepcopy(module).cpu().float().eval(),
        shape=shape,
        source={"weights": f"{_origin(what, label)}{_from(kinds)}"},
    )
    _check_scores(network)
    return network


def _shape(label: str, size: Sizes | None) -> tuple[int, int, int]:
    if size is None:
        raise argued(f"{label} does not say what it takes; give ", INPUT)
    texts = texts_of(size)
    shape = parse_shape(texts[0]) if len(texts) == 1 else ()
    if len(shape) != 3:
        raise argued(
            *(("input", "--input"), f" of {label} is channels x height x width, like "),
            *(("(3, 224, 224)", "3x224x224"), f"; given {' '.join(texts)!r}"),
        )
    channels, height, width = shape
    return channels, height, width


def _origin(what: "str | nn.Module", label: str) -> str:
    """Where the weights come from; what was done to a module in hand is not known."""
    if isinstance(what, str):
        return f"those of {label} as it was made, torch's seed being 0"
    return f"those that the {label} had when it was given"


def _from(kinds: "set[torch.dtype]") -> str:
    others = sorted(str(kind).removeprefix("torch.") for kind in kinds)
    return "" if others in ([], ["float32"]) else f"; {', '.join(others)} made float32"


def _check_inputs(network: "Network") -> None:
    """Refuse a module that cannot be called with one picture alone."""
    try:
        taken = inspect.signature(network.module.forward)
    except ValueError:  # a scripted module does not say; it is run all the same
        return
    try:
        taken.bind(None)
    except TypeError as error:
        needed = [
            each.name
            for each in taken.parameters.values()
            if each.default is each.empty
            and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        ]
        inputs = f"{len(needed)} inputs ({', '.join(needed)})" if needed else "no input"
        raise UserError(
            f"{network.name} takes {inputs}, and one picture is given; write a module that takes "
            "that alone"
        ) from error


def _failure(name: str, shape: str, error: Exception) -> UserError:
    """What a module raised, and where; another input is a way out only of what torch raised."""
    from convatlas.capture.whereabouts import line_in  # imports torch

    place = line_in(error.__traceback__)
    where = f" ({place})" if place else ""
    said = f"{name} fails on a picture of {shape}: {with_kind(error)}{where}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    in_own_code = place == f"{Path(last.filename).name}, line {last.lineno}"
    by_torch = type(error) is RuntimeError and not (last.line or "").startswith("raise")
    if in_own_code and not by_torch:
        return UserError(f"{said}; mend its code")
    return argued(f"{said}; give ", ("the input", "the --input"), " that it takes")


def _check_scores(network: "Network") -> None:
    """Run it once: what fails later, in an exporter, is much harder to read."""
    import torch

    from convatlas.runtime.network import random_pixels

    shape = "x".join(map(str, network.shape))
    _check_inputs(network)
    with torch.inference_mode():
        try:
            found = network.module(torch.from_numpy(random_pixels((1, *network.shape))))
        except Exception as error:  # the code of others raises what it likes
            raise _failure(network.name, shape, error) from error
    if not isinstance(found, torch.Tensor):
        raise UserError(
            f"{network.name} gives a {type(found).__name__}, expected one tensor of scores; "
            "write a function that makes a module which returns that alone"
        )
    if found.dtype != torch.float32 or found.ndim < 2 or len(found) != 1:
        kind = str(found.dtype).removeprefix("torch.")
        raise UserError(
            f"{network.name} gives {kind} {'x'.join(map(str, found.shape)) or 'scalar'} for a "
            f"picture of {shape}, expected float32 scores of (1, classes)"
        )
