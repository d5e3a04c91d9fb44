"""Every tool that counts a network's multiply-adds, each in its quickest reasonable use.

A tool takes a built module and an input shape and returns the MACs as it counts them. Each is
imported when it is first asked for.
"""

import contextlib
import io
from collections.abc import Callable

import torch
from torch import Tensor, nn

Shape = tuple[int, ...]
Tool = Callable[[nn.Module, Shape], int]


def convatlas(module: nn.Module, shape: Shape) -> int:
    """Ours: shapes, parameters, MACs, work, bytes, liveness, fields; as the others for one size."""
    from convatlas.analysis.cost import cost
    from convatlas.capture.capture import capture

    return cost(capture(module, shape, one_size=True)).macs


def torchinfo(module: nn.Module, shape: Shape) -> int:
    """Shapes, parameters and MACs of modules."""
    from torchinfo import summary

    device = next(module.parameters()).device
    return summary(module, input_size=shape, device=device, verbose=0).total_mult_adds


def fvcore(module: nn.Module, shape: Shape) -> int:
    """MACs of operators in a trace; it counts five for each value that is normalised, too."""
    from fvcore.nn import FlopCountAnalysis

    found = FlopCountAnalysis(module, (_example(module, shape),))
    found.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    return int(found.total())


def thop(module: nn.Module, shape: Shape) -> int:
    """MACs and parameters of modules: thop, or ultralytics-thop, whichever is installed."""
    from thop import profile

    return int(profile(module, inputs=(_example(module, shape),), verbose=False)[0])


def ptflops_pytorch(module: nn.Module, shape: Shape) -> int:
    """MACs of modules and of patched functions."""
    return _ptflops(module, shape, "pytorch")


def ptflops_aten(module: nn.Module, shape: Shape) -> int:
    """MACs of operators as they are dispatched."""
    return _ptflops(module, shape, "aten")


def calflops(module: nn.Module, shape: Shape) -> int:
    """FLOPs, MACs and parameters of modules and of patched functions."""
    from calflops import calculate_flops

    _, macs, _ = calculate_flops(
        module, input_shape=shape, print_results=False, print_detailed=False, output_as_string=False
    )
    return int(macs)


def flop_counter(module: nn.Module, shape: Shape) -> int:
    """torch's own: two FLOPs for each multiply-add of convolutions and products."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as mode:
        module(_example(module, shape))
    return mode.get_total_flops() // 2


TOOLS: dict[str, Tool] = {
    "convatlas": convatlas,
    "torchinfo": torchinfo,
    "fvcore": fvcore,
    "thop": thop,
    "ptflops (pytorch)": ptflops_pytorch,
    "ptflops (aten)": ptflops_aten,
    "calflops": calflops,
    "FlopCounterMode": flop_counter,
}


def _example(module: nn.Module, shape: Shape) -> Tensor:
    return torch.zeros(shape, device=next(module.parameters()).device)


def _ptflops(module: nn.Module, shape: Shape, backend: str) -> int:
    from ptflops import get_model_complexity_info

    with contextlib.redirect_stdout(io.StringIO()):
        macs, _ = get_model_complexity_info(
            *(module, tuple(shape[1:])),
            as_strings=False,
            print_per_layer_stat=False,
            backend=backend,
        )
    return int(macs)
