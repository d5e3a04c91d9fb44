"""Networks in int8 against torchvision's and timm's modules in torch eager, batch 1.

All run the same architecture; blocks of at least 0.3 s of theirs, ours in float32 and ours in int8
alternate, and the medians count. Weights are drawn, so agreement says little there: scores of drawn
networks are nearly ties. What int8 loses is measured on two networks trained here on MNIST.

    python benchmarks/int8.py --threads 1
    python benchmarks/int8.py --only trained     times stay as they are on record
"""

import argparse
import dataclasses
import gc
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

import convatlas
from convatlas.runtime.engines import engine
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.export import make_card
from convatlas.runtime.int8.engines import INT8_ENGINES
from convatlas.runtime.int8.judge import Limits
from convatlas.runtime.int8.quantised import Plan, quantised
from convatlas.runtime.int8.sample import Sample, gather
from convatlas.runtime.measure import Effort, measure
from convatlas.runtime.network import random_pixels
from convatlas.runtime.onnx_file import Form
from convatlas.training.recipes import recipe_for
from convatlas.workbench.export import network_of
from convatlas.workbench.int8 import Int8, plan
from peers.eager import PEERS, peer
from record import RESULTS, made, write_record

FLOAT = ("onnxruntime", "openvino")
PICTURES = 100  # to calibrate on, and as many to judge by: with drawn weights more show no more


def main() -> None:
    """Measure, print, write the record; a part that is not measured stays as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(PEERS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--block", type=float, default=0.3)
    parser.add_argument("--no-record", action="store_true")
    parser.add_argument("--only", choices=("times", "trained"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    path = RESULTS / "int8.json"
    record = json.loads(path.read_text()) if path.exists() else {}
    parts = {key: record[key] for key in ("times", "trained") if key in record}
    if given.only != "trained":
        parts["times"] = made() | times(given.networks, given.threads, given.block)
    if given.only != "times":
        parts["trained"] = made() | trained()
    print(json.dumps(parts, indent=1))
    if not given.no_record:
        print(write_record("int8", parts))


def times(networks: Sequence[str], threads: int, block: float) -> dict[str, object]:
    """Every network against its peer, and the mean of the ratios."""
    measured = {}
    for name in networks:
        measured[name] = compared(name, threads, block)
        print(name, json.dumps(measured[name]), flush=True)
        gc.collect()
    ratios = [float(each["ratio"]) for each in measured.values()]
    return {
        "threads": threads,
        "networks": measured,
        "geometric_mean_of_ratios": round(math.exp(np.mean(np.log(ratios))), 2),
    }


def compared(name: str, threads: int, block: float) -> dict[str, Any]:
    """Milliseconds a call of each, and how many times faster the better int8 engine is."""
    network = network_of(name)
    job = Job(network=network, threads=threads)
    asked = Plan(few(gather("mnist", network)), Limits(min_agreement=0.0))
    small = {
        engine_name: (quantised(job.onnx(), make_card(network, Form()), asked, method), build)
        for engine_name, (method, build) in INT8_ENGINES.items()
    }
    built: dict[str, Engine] = {"peer": peer(name, network)}
    built |= {each: engine(each, job) for each in FLOAT}
    built |= {each: build(result.model, job) for each, (result, build) in small.items()}
    effort = Effort(block=block, hopeless=float("inf"), limit=float("inf"))
    seconds = measure(built, random_pixels(job.shape), effort)
    ms = {each: round(1e3 * float(np.median(taken)), 3) for each, taken in seconds.items()}
    best = min(small, key=lambda each: ms[each])
    return {
        "ms": ms,
        "spread": {
            each: [round(1e3 * min(taken), 3), round(1e3 * max(taken), 3)]
            for each, taken in seconds.items()
        },
        "fastest_int8": best,
        "ratio": round(ms["peer"] / ms[best], 2),
        "ratio_of_float32": round(ms["peer"] / min(ms[each] for each in FLOAT), 2),
        "agreement_with_drawn_weights": {
            each: round(result.report.agreement, 4) for each, (result, _) in small.items()
        },
        "mean_relative_error": {
            each: round(result.report.error, 4) for each, (result, _) in small.items()
        },
        "layers": next(iter(small.values()))[0].report.layers,
    }


def few(sample: Sample) -> Sample:
    """Some of the pictures."""
    return dataclasses.replace(
        sample, calibrating=sample.calibrating[:PICTURES], judged=sample.judged[:PICTURES]
    )


def trained() -> dict[str, object]:
    """What int8 loses of networks that were trained, on MNIST's validation part."""
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("lenet-bn", "resnet20-cifar"):
            recipe = msgspec.structs.replace(recipe_for(name, None), epochs=1)
            run = convatlas.train(name, "mnist", recipe=recipe, out=Path(folder) / name).folder.path
            network = network_of(str(run))
            job = Job(network=network)
            for method in ("onnxruntime", "nncf"):
                asked = plan(str(run), network, Int8(data="mnist"))
                report = quantised(job.onnx(), make_card(network, Form()), asked, method).report
                found[f"{name}, {method}"] = {
                    "judged": report.judged,
                    "part": report.part,
                    "agreement": round(report.agreement, 4),
                    "accuracy_float32": report.original,
                    "accuracy_int8": report.accuracy,
                    "drop": report.drop,
                    "drop_95": report.interval,
                    "float_layers": report.float_layers,
                }
    return found


if __name__ == "__main__":
    main()
