"""A module of one's own as a network to be run: on the CPU, in evaluation mode, in float32."""

import copy
from typing import TYPE_CHECKING

from convatlas.analysis.picture import parse_shape
from convatlas.errors import UserError, argued, one_line
from convatlas.workbench.ask import Sizes, texts_of

if TYPE_CHECKING:
    import torch
    from torch import nn

    from convatlas.runtime.network import Network

INPUT = ("input=(3, 224, 224)", "--input 3x224x224")  # in Python, on the command line


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


def _check_scores(network: "Network") -> None:
    """Run it once: what fails later, in an exporter, is much harder to read."""
    import torch

    from convatlas.runtime.network import random_pixels

    shape = "x".join(map(str, network.shape))
    with torch.inference_mode():
        try:
            found = network.module(torch.from_numpy(random_pixels((1, *network.shape))))
        except Exception as error:  # the code of others raises what it likes
            raise UserError(
                f"{network.name} fails on a picture of {shape}: {type(error).__name__}: "
                f"{one_line(error)}; "
                "give the --input that it takes"
            ) from error
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
