"""`auto` and every single engine against torchvision's and timm's networks in torch eager.

    python benchmarks/engines.py --batches 1,32

For each network and batch `auto` chooses first. Then, in turn, blocks of at least 0.3 s of the
peer, of the engine `auto` kept, and of those near it built anew: that says how good the choice is,
not how lucky. Each network and batch runs in a process of its own, so that no engine's waiting
threads disturb the next network.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from typing import Any

import torch

from convatlas.runtime import auto
from convatlas.runtime.engines.engine import Engine, Job
from convatlas.runtime.measure import BUDGET, Effort, measure
from convatlas.runtime.network import Array, random_pixels
from convatlas.runtime.peak import peak
from convatlas.runtime.work import macs_of
from convatlas.workbench.export import network_of
from peers.eager import PEERS, peer
from record import RESULTS, spread, write_record

NEAR = 1.3  # times the best, and an engine is measured again beside the choice
ROUNDS = {1: 7}  # by batch
ROUNDS_OF_MANY = 3  # a call of 32 pictures is a block of its own


def main() -> None:
    """Measure in processes of their own, print ratios, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(PEERS))
    parser.add_argument("--batches", default="1,32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--budget", type=float, default=BUDGET)
    parser.add_argument("--record", default="engines", help="its name, for another processor's")
    parser.add_argument("--no-record", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep what is on record of others")
    parser.add_argument("--alone", action="store_true", help="print one network's figures as JSON")
    given = parser.parse_args()
    batches = [int(part) for part in given.batches.split(",")]
    torch.set_num_threads(given.threads)
    if given.alone:
        found = compared(given.networks[0], batches[0], given.threads, given.budget)
        print(json.dumps(found))
        return
    figures: dict[str, dict[str, dict[str, Any]]] = {}
    for batch in batches:
        for name in given.networks:
            found = alone(name, batch, given)
            figures.setdefault(f"batch {batch}", {})[name] = found
            print(batch, name, json.dumps(found), flush=True)
    kept = RESULTS / f"{given.record}.json"
    if given.keep and kept.exists():
        old = json.loads(kept.read_text())["figures"]
        figures = {key: old.get(key, {}) | figures.get(key, {}) for key in old | figures}
    summary = {key: summed(each) for key, each in figures.items()}
    print(json.dumps(summary, indent=1))
    record = {"threads": given.threads, "summary": summary, "figures": figures}
    if not given.no_record:
        print(write_record(given.record, record))


def alone(name: str, batch: int, given: argparse.Namespace) -> dict[str, Any]:
    """One network at one batch in a process of its own."""
    options = ["--threads", str(given.threads), "--budget", str(given.budget), "--alone"]
    command = [sys.executable, "-W", "ignore", __file__, name, "--batches", str(batch), *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    return json.loads(ran.stdout.splitlines()[-1])


def compared(name: str, batch: int, threads: int, budget: float) -> dict[str, Any]:
    """Milliseconds a call of the peer, of `auto`'s engine and of the single ones."""
    network = network_of(name)
    job = Job(network=network, batch=batch, threads=threads)
    top = peak()
    choice = auto.choose(job, effort=Effort(budget=budget))
    first = {m.name: m.median for m in choice.measured if not m.refused}
    near = [each for each, median in first.items() if median <= NEAR * first[choice.name]]
    theirs = peer(name, network)
    runs = {
        "peer": theirs,
        "peer, one thread": on_one_thread(theirs, threads),
        "auto": choice.engine,
    }
    runs |= {each: auto.build(each, job) for each in near}
    effort = Effort(
        rounds=ROUNDS.get(batch, ROUNDS_OF_MANY), hopeless=float("inf"), limit=float("inf")
    )
    seconds = measure(runs, random_pixels(job.shape), effort)
    median = {each: statistics.median(taken) for each, taken in seconds.items()}
    single = {**first, **{each: median[each] for each in near}}
    best = min(near, key=lambda each: median[each])
    # torch's threads wait for one another by spinning: where others take a processor away from
    # time to time, one may be quicker than two. The peer has the better of both.
    least = min(median["peer"], median["peer, one thread"])
    work = batch * macs_of(network)
    return {
        "chosen": choice.name,
        "ms": {each: spread([1e3 * s for s in taken]) for each, taken in seconds.items()},
        "times_peer": round(least / median["auto"], 3),
        "times_peer_single": {k: round(least / v, 3) for k, v in single.items()},
        "auto_to_best_single": round(median[best] / median["auto"], 3),
        "share_of_peak": round(work / median["auto"] / top, 3),
        "share_of_peak_peer": round(work / least / top, 3),
        "error": {m.name: m.error for m in choice.measured if not m.refused},
        "refused": {m.name: m.refused for m in choice.measured if m.refused},
    }


def on_one_thread(run: Engine, threads: int) -> Engine:
    """A torch engine on one thread; the others keep theirs."""

    def alone(pixels: Array) -> Array:
        torch.set_num_threads(1)
        try:
            return run(pixels)
        finally:
            torch.set_num_threads(threads)

    return alone


def summed(figures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Geometric means over the networks, of `auto` and of each engine that ran all of them."""
    each = list(figures.values())
    ratios: list[float] = [one["times_peer"] for one in each]
    single: list[dict[str, float]] = [one["times_peer_single"] for one in each]
    everywhere = set.intersection(*(set(one) for one in single))
    return {
        "auto": geometric(ratios),
        **{f"always {name}": geometric([s[name] for s in single]) for name in sorted(everywhere)},
        "least auto_to_best_single": min(one["auto_to_best_single"] for one in each),
    }


def geometric(ratios: list[float]) -> float:
    """The geometric mean."""
    return round(math.exp(statistics.fmean(map(math.log, ratios))), 3)


if __name__ == "__main__":
    main()
