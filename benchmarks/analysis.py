"""Analysing networks: ours against the tools people use, interleaved, on the same built modules.

    python benchmarks/analysis.py --rounds 7

Three questions: the whole command ``convatlas show resnet152`` against a script around torchinfo;
asking a captured resnet152 again at another size; capture and full analysis of a foreign module.
"""

import argparse
import gc
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch

from convatlas import atlas
from convatlas.graph.field import fields
from convatlas.graph.liveness import liveness
from convatlas.graph.propagate import propagate
from peers.analysers import TOOLS, convatlas, torchinfo
from peers.vision import SIZES, build
from record import spread, write_record

BLOCK = 100
HERE = Path(__file__).parent
PEER = """
import sys
sys.path.insert(0, {here!r})
from peers.vision import build
from torchinfo import summary
print(summary(build("resnet152", {device!r}), input_size=(1, 3, 224, 224), device={device!r}))
"""


def main() -> None:
    """Measure, print ratios, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--growth", choices=SIZES, help="print the growth of memory alone")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    if arguments.growth:
        print(growth(arguments.growth))
        return
    warnings.filterwarnings("ignore")
    figures = {
        "whole_command": whole_command(rounds),
        "again": asked_again(rounds),
        "foreign": {
            f"{name}, {device}": foreign(name, device, rounds)
            for device in ("meta", "cpu")
            for name in SIZES
        },
        "peak_growth_MB_meta": {name: growth_alone(name) for name in SIZES},
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(figures, indent=1))
    print(write_record("analysis", figures))


def whole_command(rounds: int) -> dict[str, object]:
    """Process start to exit, in milliseconds; the peer on the device that suits it best counts."""
    commands = {
        "convatlas show resnet152": [sys.executable, "-m", "convatlas", "show", "resnet152"]
    }
    for device in ("cpu", "meta"):
        script = PEER.format(here=str(HERE), device=device)
        commands[f"torchinfo, {device}"] = [sys.executable, "-W", "ignore", "-c", script]
    found = interleaved(
        {
            name: lambda line=line: subprocess.run(line, check=True, capture_output=True)
            for name, line in commands.items()
        },
        rounds,
    )
    return with_ratio(found, "convatlas show resnet152")


def asked_again(rounds: int) -> dict[str, object]:
    """Shapes, parameters, MACs, bytes and fields of a captured resnet152 at another size.

    One answer of ours is too short to time by itself: a block of ``BLOCK`` is timed, each at
    another size than the one before, and divided.
    """
    graph = atlas.graph("resnet152@torchvision")
    sizes = [((1, 3, side, side),) for side in (224, 256, 288, 320, 192)]
    turn = iter(range(10**9))

    def block() -> None:
        for _ in range(BLOCK):
            ours()

    def ours() -> None:
        made = propagate(graph, sizes[next(turn) % len(sizes)])
        _ = graph.trainable, made.macs, liveness(graph, made).peak, fields(graph, made)

    modules = {device: build("resnet152", device) for device in ("meta", "cpu")}
    peers: dict[str, Callable[[], object]] = {
        f"torchinfo, {device}": lambda module=module: torchinfo(module, (1, 3, 224, 224))
        for device, module in modules.items()
    }
    found = interleaved({"ours": block, **peers}, rounds)
    for kind in ("median", "min", "max"):
        found["ours"][kind] = round(found["ours"][kind] / BLOCK, 4)
    return with_ratio(found, "ours")


def foreign(name: str, device: str, rounds: int) -> dict[str, object]:
    """Every tool on a built module; what each counts beside the time it takes."""
    module, side = build(name, device), SIZES[name]
    shape = (1, 3, side, side)
    tools: dict[str, Callable[[], object]] = {}
    counted: dict[str, object] = {}
    for tool, use in TOOLS.items():
        try:
            counted[tool] = use(module, shape)
        except Exception as error:
            counted[tool] = f"fails: {type(error).__name__}"
            continue
        tools[tool] = lambda use=use: use(module, shape)
    return {"macs": counted, **with_ratio(interleaved(tools, rounds), "convatlas")}


def growth_alone(name: str) -> float:
    """The same in a process of its own, whose peak nothing else has raised."""
    line = [sys.executable, str(HERE / "analysis.py"), "--growth", name]
    return float(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def growth(name: str) -> float:
    """How much the peak memory of the process grows by capture and analysis of a meta module."""
    module, side = build(name, "meta"), SIZES[name]
    convatlas(build("resnet152", "meta"), (1, 3, 64, 64))  # what is loaded once is no growth
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    convatlas(module, (1, 3, side, side))
    return round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 2)


def interleaved(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """Each once to warm up, then in turn; milliseconds."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            gc.collect()  # what one left behind is not another's to clear away
            started = time.perf_counter()
            call()
            if number:
                times[name].append(1e3 * (time.perf_counter() - started))
    return {name: spread(each) for name, each in times.items()}


def with_ratio(found: dict[str, dict[str, float]], ours: str) -> dict[str, object]:
    """Milliseconds of each, and the quickest peer's over ours."""
    quickest = min((f["median"], name) for name, f in found.items() if name != ours)
    ratio = quickest[0] / found[ours]["median"]
    return {"ms": found, "quickest_peer": quickest[1], "ratio": round(ratio, 1)}


if __name__ == "__main__":
    main()
