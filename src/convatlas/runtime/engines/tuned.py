"""torch with batch norm folded into the convolutions before it, and channels last in memory."""

import copy

import torch
from torch import nn

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.network import Array
from convatlas.runtime.onnx_file import quiet


def build(job: Job) -> Engine:
    """A tuned copy; the network is left as it was."""
    # torch's annotations of Module.to leave memory_format out
    module = folded(job.network.module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def run(pixels: Array) -> Array:
        with torch.inference_mode():
            x = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
            scores: Array = module(x).numpy()
        return scores

    return run


def folded(module: nn.Module) -> nn.Module:
    """A copy with batch norm folded, where there is any and the code can be traced.

    A network without batch norm is not traced: there is nothing to win, and Swin's traced form
    fails on channels last.
    """
    if any(isinstance(part, nn.BatchNorm2d) for part in module.modules()):
        with quiet():  # importing it warns
            from torch.fx.experimental.optimization import fuse
        try:
            found: nn.Module = fuse(module)
        except torch.fx.proxy.TraceError:
            pass
        else:
            return found
    return copy.deepcopy(module)
