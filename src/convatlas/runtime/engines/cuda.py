"""An NVIDIA GPU: torch in channels last replayed as a CUDA graph, or TensorRT by ONNX Runtime."""

import torch

from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.engines.tuned import folded
from convatlas.runtime.extras import has, missing, need
from convatlas.runtime.network import Array
from convatlas.runtime.sessions import onnx_options, onnx_session, session_runner

WARMING = 3  # calls before a graph is recorded, in which cuDNN chooses its algorithms


def lacking() -> str | None:
    """A GPU and a torch built for it."""
    return None if torch.cuda.is_available() else "torch finds no CUDA GPU"


def lacking_tensorrt() -> str | None:
    """A GPU, and an ONNX Runtime built with TensorRT."""
    if reason := lacking():
        return reason
    if not has("onnxruntime"):
        return missing("onnxruntime")
    if "TensorrtExecutionProvider" in need("onnxruntime").get_available_providers():
        return None
    return "this ONNX Runtime has no TensorRT; install onnxruntime-gpu and TensorRT"


def build_float32(job: Job) -> Engine:
    """In float32, with TensorFloat-32 off: it would lose 13 of 24 bits."""
    return _recorded(job, torch.float32)


def build_float16(job: Job) -> Engine:
    """In half precision."""
    return _recorded(job, torch.float16)


def build_bfloat16(job: Job) -> Engine:
    """In bfloat16."""
    return _recorded(job, torch.bfloat16)


def build_tensorrt(job: Job) -> Engine:
    """TensorRT in float32."""
    providers = ["TensorrtExecutionProvider", "CUDAExecutionProvider"]
    return session_runner(onnx_session(job.onnx(), onnx_options(threads=job.threads), providers))


def _recorded(job: Job, precision: torch.dtype) -> Engine:
    """A CUDA graph of the network at the job's shape; pictures are copied in and scores out."""
    module = folded(job.network.module).to(
        device="cuda", dtype=precision, memory_format=torch.channels_last
    )  # type: ignore[call-overload]  # torch's annotations leave memory_format out
    pixels = torch.zeros(job.shape, device="cuda", dtype=precision)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch annotates it not
    graph = torch.cuda.CUDAGraph()
    with torch.inference_mode(), torch.backends.cudnn.flags(benchmark=True, allow_tf32=False):
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARMING):
                module(pixels)
        torch.cuda.current_stream().wait_stream(aside)
        with torch.cuda.graph(graph):
            scores = module(pixels)

    def run(given: Array) -> Array:
        with torch.inference_mode():
            pixels.copy_(torch.from_numpy(given), non_blocking=True)
            graph.replay()
            found: Array = scores.float().cpu().numpy()
        return found

    return run
