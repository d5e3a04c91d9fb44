"""Requests to `/predict` made in the test's own process, and what they are judged by."""

import asyncio
import io
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from asgi import Answer, alive, ask
from PIL import Image

from convatlas.runtime.classifier import Classifier
from convatlas.serving.app import app
from convatlas.serving.limits import BODIES
from convatlas.serving.service import QUICK, Service

Make = Callable[..., Service]
PNG = {"content-type": "image/png"}


def together(service: Service, *requests: dict[str, Any]) -> list[Answer]:
    """The answers to requests made at once."""

    async def story() -> list[Answer]:
        served = app(service)
        async with alive(served):
            return await asyncio.gather(*(ask(served, **each) for each in requests))

    return asyncio.run(asyncio.wait_for(story(), 60))


def post(chunks: list[bytes], headers: dict[str, str] = PNG, query: str = "") -> dict[str, Any]:
    return {"target": f"/predict{query}", "chunks": chunks, "headers": headers}


def sample(service: Service, name: str) -> float:
    """A figure of the metrics; with its labels, if it has any."""
    lines = service.metrics.text().decode().splitlines()
    return next(float(x.split()[-1]) for x in lines if x.startswith(f"convatlas_{name} "))


def left(service: Service) -> int:
    """The bytes that clients may still send now."""
    return service.budget.left


def all_of(service: Service) -> int:
    """The bytes that all bodies may take together."""
    return BODIES * service.limits.max_bytes


def picture(shade: int) -> bytes:
    """A small picture of one shade."""
    file = io.BytesIO()
    Image.new("L", (28, 28), shade).save(file, "PNG")
    return file.getvalue()


class Held:
    """An engine that waits until it is let go."""

    def __init__(self, classifier: Classifier) -> None:
        self.classes = classifier.probabilities
        self.free, self.entered = threading.Event(), threading.Event()
        self.pictures, self.armed = 0, False

    def __call__(self, fed: np.ndarray) -> np.ndarray:
        if self.armed:
            self.pictures += len(fed)
            self.entered.set()
            assert self.free.wait(60)
        else:
            time.sleep(2 * QUICK)  # so that it gets a thread of its own
        return np.zeros((len(fed), 10), np.float32)
