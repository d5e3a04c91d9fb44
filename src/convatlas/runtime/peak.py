"""What this machine can do at most: multiply-adds a second of a large float32 matrix product."""

import time

import torch

SIDE = 2048


def peak(rounds: int = 5) -> float:
    """The best of several products, on torch's threads."""
    a, b = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    a @ b  # the first call starts the threads
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - started)
    return SIDE**3 / best
