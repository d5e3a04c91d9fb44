"""float32 by three products of bfloat16 on a processor with matrix instructions (Intel AMX)."""

import torch
from torch.fx import GraphModule

from convatlas.errors import UserError, one_line
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.engines.split.library import load
from convatlas.runtime.engines.split.part import part
from convatlas.runtime.engines.split.rewrite import rewritten
from convatlas.runtime.network import Array
from convatlas.runtime.onnx_file import quiet


def build(job: Job) -> Engine:
    """The network for the job's batch; relative errors are about 1e-5."""
    count = part(job)
    module = lowered(job.at(count))

    def run(pixels: Array) -> Array:
        with torch.inference_mode():
            x = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
            # copies, as the next part writes into the same memory
            scores = [module(each)[0].clone() for each in torch.split(x, count)]
            joined: Array = torch.cat(scores).contiguous().numpy()
        return joined

    return run


def lowered(job: Job) -> GraphModule:
    """The network's graph on the kernel, for pictures of the job's shape."""
    load()
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(job.network.module, (torch.zeros(job.shape),))
            return rewritten(program.run_decompositions({}))
    except RuntimeError as error:  # as for a network that overwrites its own input
        said = f"the engine split cannot take {job.network.name}: {one_line(error)}"
        raise UserError(said) from error
