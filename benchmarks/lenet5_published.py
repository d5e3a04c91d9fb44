"""LeNet-5 as published: mean test error over seeds beside the paper's 0.95 %.

Each seed is trained in a process of its own with one thread, a few side by side.

    python benchmarks/lenet5_published.py --seeds 5 --workers 2
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from convatlas.training.interval import mean_over_seeds
from record import write_record

PAPER = 0.0095  # LeCun et al. 1998, section III, without distortions


def error_of(seed: int) -> dict[str, float]:
    """Train with one seed; the card's figures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "convatlas", "train", "lenet5", "--data", "mnist"]
        out = subprocess.run(
            [*command, "--seed", str(seed), "--out", f"{folder}/run", "--json"],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        card = json.loads(out.stdout)
        epochs = Path(folder, "run", "metrics.jsonl").read_text().splitlines()
    found = {
        "seed": seed,
        "test_error": card["test"]["errors"] / card["test"]["count"],
        "validation_error": card["validation"]["errors"] / card["validation"]["count"],
        "seconds": card["seconds"],
        "epochs": len(epochs),
        "test_openings": len(card["test_openings"]),
    }
    print(found, flush=True)
    return found


def main() -> None:
    """Train all seeds, print mean and interval, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with ThreadPoolExecutor(arguments.workers) as pool:
        runs = list(pool.map(error_of, range(arguments.seeds)))
    mean = mean_over_seeds([run["test_error"] for run in runs])
    summary = {
        "mean_test_error": mean.mean,
        "half_width_95": mean.half_width,
        "paper": PAPER,
    }
    print(json.dumps(summary, indent=1))
    print(write_record("lenet5_published", {"summary": summary, "runs": runs}))


if __name__ == "__main__":
    main()
