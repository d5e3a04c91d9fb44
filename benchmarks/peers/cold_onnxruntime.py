"""One picture by ONNX Runtime as a script has it: a JPEG, its five likeliest classes.

python cold_onnxruntime.py MODEL.onnx JPEG
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def main() -> None:
    """Nothing is kept from one call to the next."""
    model, picture = sys.argv[1:3]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    scores = session.run(None, {"pixels": prepared(picture)})[0][0]
    raised = np.exp(scores - scores.max())
    probabilities = raised / raised.sum()
    best = np.argsort(-probabilities)[:5]
    print(", ".join(f"{index} {probabilities[index]:.1%}" for index in best), flush=True)


def prepared(path: str) -> np.ndarray:
    """Shorter side to 256, the middle 224, less the mean over the deviation."""
    image = Image.open(path).convert("RGB")
    scale = 256 / min(image.size)
    size = (round(image.width * scale), round(image.height * scale))
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = (image.width - 224) // 2, (image.height - 224) // 2
    pixels = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / 255
    pixels = (pixels - np.float32(MEAN)) / np.float32(DEVIATION)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]


main()
