"""Pictures of noise as files."""

import io

import numpy as np
from PIL import Image


def encoded(seed: int, width: int = 40, height: int = 30, kind: str = "PNG") -> bytes:
    """A picture of coloured noise as a file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
