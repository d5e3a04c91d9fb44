"""From the start of a process to the first answer: ResNet-50 on one JPEG, five ways in turn.

`convatlas predict` on a bundle never seen before, and on one that was made ready by the call
before; ONNX Runtime by hand; torch eager with torchvision's network, and with torch alone. All
have the same weights and must find the same classes. Peak memory is the process's resident set;
of ours, 100 MB are weights mapped from a file.

    python benchmarks/cold_start.py --rounds 11
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from record import spread, write_record

PEERS = Path(__file__).with_name("peers")
TOP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A command, and whether it is to find an empty cache."""

    command: tuple[str, ...]
    forgets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a process took, in seconds and MB, and its answer."""

    first: float  # to the first answer
    whole: float  # to the end of the process
    memory: float
    answer: dict[str, float]


def main() -> None:
    """Make the files, alternate, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder)
        ways = ways_of(folder)
        ran: dict[str, list[Ran]] = {way: [] for way in ways}
        for number in range(rounds + 1):
            for way, how in ways.items():
                taken = run(how, folder / "cache")
                if number:  # the first round warms the disk's cache and Python's
                    ran[way].append(taken)
    check(ran)
    summary = summary_of(ran)
    print(json.dumps(summary, indent=1))
    write_record("cold_start", {"rounds": rounds, **summary})


def make_files(folder: Path) -> None:
    """One set of weights as safetensors, as a bundle and as ONNX, and a photo."""
    python(PEERS / "cold_weights.py", folder)
    for to in ("bundle", "onnx"):
        weights = folder / "resnet50.safetensors"
        python(
            *("-m", "convatlas", "export", "resnet50@torchvision", "--weights", weights),
            *("--to", to, "--out", folder / "resnet50"),
        )


def python(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def ways_of(folder: Path) -> dict[str, Way]:
    photo, script = str(folder / "photo.jpg"), Path(sys.executable).with_name("convatlas")
    ours = (str(script), "predict", str(folder / "resnet50.convatlas"), photo, "--top", str(TOP))
    weights = str(folder / "resnet50.safetensors")
    torch = (sys.executable, str(PEERS / "cold_torch.py"), weights, photo)
    onnx = (str(PEERS / "cold_onnxruntime.py"), str(folder / "resnet50.onnx"), photo)
    return {
        "ours, first time": Way(command=ours, forgets=True),
        "ours": Way(command=ours),
        "onnxruntime by hand": Way(command=(sys.executable, *onnx)),
        "torch eager": Way(command=torch),
        "torch eager, lean": Way(command=(*torch, "--lean")),
    }


def run(way: Way, cache: Path) -> Ran:
    """Start it and wait for its answer, then for its end."""
    if way.forgets:
        shutil.rmtree(cache, ignore_errors=True)
    environment = os.environ | {"CONVATLAS_CACHE": str(cache)}
    started = time.perf_counter()
    with subprocess.Popen(
        way.command, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        first = time.perf_counter() - started
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    whole = time.perf_counter() - started
    return Ran(first=first, whole=whole, memory=used.ru_maxrss / 1e3, answer=answer(line))


def answer(line: str) -> dict[str, float]:
    """Class to percent, from ``330 74.6%, 568 13.5%``, with a path before it or without."""
    pairs = (pair.split()[-2:] for pair in line.strip().split(", "))
    return {label: float(percent.rstrip("%")) for label, percent in pairs}


def check(ran: dict[str, list[Ran]]) -> None:
    """All found the same, to the digit printed or the next."""
    expected = ran["torch eager"][0].answer
    assert len(expected) == TOP
    for each in (taken for all_of_one in ran.values() for taken in all_of_one):
        assert set(each.answer) == set(expected), (each.answer, expected)
        assert all(abs(each.answer[k] - expected[k]) < 0.25 for k in expected), each.answer


def summary_of(ran: dict[str, list[Ran]]) -> dict[str, object]:
    found = {
        way: {
            "seconds_to_first_answer": spread([each.first for each in all_of_one]),
            "seconds_to_end": spread([each.whole for each in all_of_one]),
            "peak_MB": spread([each.memory for each in all_of_one]),
        }
        for way, all_of_one in ran.items()
    }

    def ratio(measure: str, ours: str, theirs: str) -> float:
        return round(found[theirs][measure]["median"] / found[ours][measure]["median"], 2)

    peers = [way for way in ran if not way.startswith("ours")]
    return {
        "ways": found,
        "ratios": {
            ours: {
                peer: {
                    "time": ratio("seconds_to_first_answer", ours, peer),
                    "memory": ratio("peak_MB", ours, peer),
                }
                for peer in peers
            }
            for ours in ("ours", "ours, first time")
        },
    }


if __name__ == "__main__":
    main()
