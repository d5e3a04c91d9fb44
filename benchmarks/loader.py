"""Feeding MNIST: our in-memory batches against a DataLoader over PIL pictures, one process.

Both deliver normalised float batches of 128 in random order; epochs of the two alternate. Then the
share of an epoch of ``lenet-bn`` that is not the network.

    python benchmarks/loader.py --rounds 5
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import convatlas
from convatlas.data.augment import Augment
from convatlas.data.batches import Batches
from convatlas.data.preprocess import fit
from peers.pipeline import Digits
from record import spread, write_record

MNIST = Path(convatlas.__file__).parent / "data" / "mnist"
BATCH = 128


def main() -> None:
    """Alternate, print, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    pictures = convatlas.load("mnist").train
    preprocess = fit("channel-standard", pictures.images)
    plain, shifted = (
        Batches(pictures=pictures, size=BATCH, seed=0, augment=augment)
        for augment in (Augment(), Augment(shift=2, flip=True))
    )
    theirs = DataLoader(Digits(MNIST, "train"), batch_size=BATCH, shuffle=True)

    def epoch_of_ours(batches: Batches, number: int) -> float:
        started = time.perf_counter()
        seen = sum(len(preprocess(images)) for images, _ in batches.epoch(number))
        return seen / (time.perf_counter() - started)

    def epoch_of_theirs() -> float:
        started = time.perf_counter()
        seen = sum(len(images) for images, _ in theirs)
        return seen / (time.perf_counter() - started)

    rates: dict[str, list[float]] = {"ours": [], "ours, shift and flip": [], "DataLoader": []}
    for number in range(rounds):
        rates["ours"].append(epoch_of_ours(plain, number))
        rates["ours, shift and flip"].append(epoch_of_ours(shifted, number))
        rates["DataLoader"].append(epoch_of_theirs())
    pictures_per_second = {name: spread(values) for name, values in rates.items()}
    slow = pictures_per_second["DataLoader"]["median"]
    summary = {
        "pictures_per_second": pictures_per_second,
        "ratio": {name: round(f["median"] / slow, 1) for name, f in pictures_per_second.items()},
        "share_of_an_epoch_that_is_not_the_network": share_outside_the_network(rates["ours"]),
    }
    print(json.dumps(summary, indent=1))
    print(write_record("loader", {"threads": torch.get_num_threads(), **summary}))


def share_outside_the_network(rates: list[float]) -> float:
    """Time to make the batches of one epoch, over the time of a whole epoch of ``lenet-bn``."""
    with tempfile.TemporaryDirectory() as folder:
        run = convatlas.train("lenet-bn", "mnist", out=Path(folder) / "run")
    whole = run.history[0]
    return round(whole.images_per_second / spread(rates)["median"], 4)


if __name__ == "__main__":
    main()
