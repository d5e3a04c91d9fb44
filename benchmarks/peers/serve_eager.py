"""A server as tutorials write it: FastAPI, and the network in PyTorch's eager mode.

The same network, the same preparation of pictures; one request after the other.
"""

import argparse
from pathlib import Path

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


if __name__ == "__main__":
    main()
