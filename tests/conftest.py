"""Shared by all tests: one thread each, and a small folder of pictures that can be learned."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

torch.set_num_threads(1)  # the tests run side by side
# What a shell starts in the background ignores Ctrl-C, and so do its children; some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 28x28 grey pictures, told apart by where the light is; 40 of each."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    places = {"left": np.s_[:, :14], "right": np.s_[:, 14:], "top": np.s_[:14, :]}
    for name, place in places.items():
        (root / name).mkdir()
        for number in range(40):
            pixels = rng.integers(0, 90, (28, 28), dtype=np.uint8)
            pixels[place] += 120
            Image.fromarray(pixels).save(root / name / f"{number:02}.png")
    return root
