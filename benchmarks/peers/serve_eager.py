"""A server as tutorials write it: FastAPI, and the network in PyTorch's eager mode.

The same network, the same preparation of pictures; one request after the other. It measures at
its start whether one thread or all of them are faster: where other work shares the processors,
OpenMP's threads wait for each other many times longer than they compute.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, Request

from convatlas import models
from convatlas.data.decode import decode
from convatlas.runtime.bundle import prepare, read_bundle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    card = read_bundle(arguments.bundle).card
    assert card.preparation
    model = models.create(card.network).eval()
    side, channels = card.preparation.side, card.input[1]
    choose_threads(model, prepare(card, np.zeros((1, channels, side, side), np.uint8)))
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request) -> list[dict[str, str | float]]:
        picture = decode(await request.body(), channels=channels, size=side)[None]
        with torch.inference_mode():
            pixels = torch.from_numpy(prepare(card, picture))
            best = model(pixels).softmax(1)[0].topk(5)
        found = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [{"class": str(index), "probability": value} for index, value in found]

    uvicorn.run(app, port=arguments.port, http="h11", log_level="warning", access_log=False)


def choose_threads(model: torch.nn.Module, pixels: np.ndarray) -> None:
    """Set the number with which the best of ten calls is the faster."""
    seconds: dict[int, float] = {}
    for threads in (torch.get_num_threads(), 1):
        torch.set_num_threads(threads)
        with torch.inference_mode():
            seconds[threads] = min(timed(model, pixels) for _ in range(10))
    torch.set_num_threads(min(seconds, key=lambda threads: seconds[threads]))


def timed(model: torch.nn.Module, pixels: np.ndarray) -> float:
    started = time.perf_counter()
    model(torch.from_numpy(pixels))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
