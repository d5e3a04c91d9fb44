"""MNIST to 99 %: our whole command against two pipelines people use, each a process of its own.

Ours is ``convatlas train lenet-bn`` with one seed after another, timed from process start to the
line with the test error and to the end of the process (report written). The peers are in
``peers/``: the PyTorch MNIST example, and a LeNet-5 fed by a DataLoader over PIL pictures. They
are timed to the end of each epoch. All run in turn on the same machine.

    python benchmarks/mnist_to_99.py --seeds 5 --rounds 2 --lenet-epochs 4
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import convatlas
from record import spread, write_record

HERE = Path(__file__).parent
MNIST = Path(convatlas.__file__).parent / "data" / "mnist"
GOAL = 0.99


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds to each line of interest, to its end, and of both processors."""

    marks: tuple[tuple[float, str], ...]
    whole: float
    cpu: float


def timed(command: list[str], is_mark: Callable[[str], bool]) -> Run:
    """Run a command to its end, noting when each line of interest is printed."""
    before, started = _children_cpu(), time.perf_counter()
    marks: list[tuple[float, str]] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=_environment()
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if is_mark(line):
                marks.append((time.perf_counter() - started, line))
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}")
    return Run(tuple(marks), time.perf_counter() - started, _children_cpu() - before)


def ours(seed: int) -> dict[str, float]:
    """The demo command with one seed."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "convatlas", "train", "lenet-bn", "--data", "mnist"]
        run = timed(
            [*command, "--seed", str(seed), "--out", str(out)], lambda line: line[:5] == "test "
        )
        card = convatlas.load_run(out).card
    assert card.test is not None
    return {
        "seed": seed,
        "test_accuracy": 1 - card.test.error,
        "seconds_to_result": run.marks[0][0],
        "seconds_whole_process": run.whole,
        "cpu_seconds": run.cpu,
        "seconds_training": card.seconds,
    }


def peer(script: str, epochs: int, seed: int) -> dict[str, object]:
    """A peer's accuracy and time after each epoch."""
    path = str(HERE / "peers" / script)
    run = timed(
        [sys.executable, path, "--data", str(MNIST), "--epochs", str(epochs), "--seed", str(seed)],
        lambda line: line.startswith("{"),
    )
    accuracies = [json.loads(line)["test_accuracy"] for _, line in run.marks]
    return {
        "seed": seed,
        "test_accuracy": accuracies,
        "seconds": [round(seconds, 2) for seconds, _ in run.marks],
        "cpu_seconds": run.cpu,
    }


def main() -> None:
    """Run everything in turn, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="runs of ours")
    parser.add_argument("--rounds", type=int, default=1, help="runs of each peer")
    parser.add_argument("--example-epochs", type=int, default=1)
    parser.add_argument("--lenet-epochs", type=int, default=1)
    arguments = parser.parse_args()
    peers = {"pytorch_mnist_example.py": [], "lenet5_dataloader.py": []}
    epochs = {
        "pytorch_mnist_example.py": arguments.example_epochs,
        "lenet5_dataloader.py": arguments.lenet_epochs,
    }
    mine = []
    for turn in range(max(arguments.seeds, arguments.rounds)):
        if turn < arguments.seeds:
            mine.append(ours(turn))
            print("ours", mine[-1], flush=True)
        for script, runs in peers.items():
            if turn < arguments.rounds:
                runs.append(peer(script, epochs[script], turn + 1))
                print(script, runs[-1], flush=True)
    summary = summarise(mine, peers)
    print(json.dumps(summary, indent=1))
    print(write_record("mnist_to_99", {"summary": summary, "ours": mine, "peers": peers}))


def summarise(
    mine: list[dict[str, float]], peers: dict[str, list[dict[str, object]]]
) -> dict[str, object]:
    """Medians, and how many times longer each peer takes for one epoch and to the goal."""
    to_result = spread([run["seconds_to_result"] for run in mine])
    accuracies = [run["test_accuracy"] for run in mine]
    summary: dict[str, object] = {
        "ours_mean_test_accuracy": round(sum(accuracies) / len(accuracies), 5),
        "ours_seconds_to_result": to_result,
        "ours_seconds_whole_process": spread([run["seconds_whole_process"] for run in mine]),
    }
    for script, runs in peers.items():
        first = spread([run["seconds"][0] for run in runs])
        last = spread([run["seconds"][-1] for run in runs])
        reached = [when for run in runs if (when := _to_goal(run)) is not None]
        summary[script] = {
            "seconds_one_epoch": first,
            "accuracy_after_one_epoch": [run["test_accuracy"][0] for run in runs],
            "one_epoch_over_ours": round(first["median"] / to_result["median"], 1),
            "epochs": len(runs[0]["seconds"]),
            "seconds_all_epochs": last,
            "accuracy_after_all_epochs": [run["test_accuracy"][-1] for run in runs],
            "all_epochs_over_ours": round(last["median"] / to_result["median"], 1),
            "seconds_to_99": spread(reached) if reached else "not reached",
            "to_99_over_ours": (
                round(spread(reached)["median"] / to_result["median"], 1) if reached else None
            ),
        }
    return summary


def _to_goal(run: dict[str, object]) -> float | None:
    """When a peer first had 99 % on the test set (looking at it after each epoch, as it does)."""
    pairs = zip(run["seconds"], run["test_accuracy"], strict=True)
    return next((seconds for seconds, accuracy in pairs if accuracy >= GOAL), None)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _environment() -> dict[str, str]:
    """Compiled modules are kept between runs, as on any installation."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONUNBUFFERED": "1"}


if __name__ == "__main__":
    main()
