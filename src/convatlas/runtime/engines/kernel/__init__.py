"""Our own kernel under a network's graph: `split` and `avx512`, which differ in how they multiply.

`split`: float32 by three products of bfloat16, on matrix instructions (Intel AMX); relative errors
are about 1e-5. `avx512`: float32 on registers of 512 bits, where it pays after Winograd.
"""

import torch
from torch.fx import GraphModule

from convatlas.errors import UserError, one_line
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.engines.kernel.library import AVX512, SPLIT, Kernel, load
from convatlas.runtime.engines.kernel.part import part
from convatlas.runtime.engines.kernel.rewrite import rewritten
from convatlas.runtime.network import Array
from convatlas.runtime.onnx_file import quiet


def build_split(job: Job) -> Engine:
    """The network for the job's batch, multiplied as halves."""
    return build(job, SPLIT)


def build_avx512(job: Job) -> Engine:
    """The network for the job's batch, multiplied in float32."""
    return build(job, AVX512)


def build(job: Job, kernel: Kernel) -> Engine:
    """The network for the job's batch on a kernel."""
    count = part(job)
    module = lowered(job.at(count), kernel)

    def run(pixels: Array) -> Array:
        with torch.inference_mode():
            x = torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last)
            # copies, as the next part writes into the same memory
            scores = [module(each)[0].clone() for each in torch.split(x, count)]
            joined: Array = torch.cat(scores).contiguous().numpy()
        return joined

    return run


def lowered(job: Job, kernel: Kernel) -> GraphModule:
    """The network's graph on a kernel, for pictures of the job's shape."""
    load(kernel)
    try:
        with quiet(), torch.no_grad():
            program = torch.export.export(job.network.module, (torch.zeros(job.shape),))
            return rewritten(program.run_decompositions({}), kernel)
    except RuntimeError as error:  # as for a network that overwrites its own input
        said = f"the engine {kernel.name} cannot take {job.network.name}: {one_line(error)}"
        raise UserError(said) from error
