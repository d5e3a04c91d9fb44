"""The stack that the server is built on, without its batcher: one request after the other.

uvicorn and Starlette, the same bundle and engine; decoding and running happen in the endpoint.
"""

import argparse
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from convatlas.runtime.opened import open_classifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    classifier = open_classifier(arguments.bundle)

    async def predict(request: Request) -> Response:
        picture = classifier.decode(await request.body())
        best = classifier.best(classifier.probabilities(picture)[0], 5)
        return JSONResponse([{"class": b.label, "probability": b.probability} for b in best])

    app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
    uvicorn.run(app, port=arguments.port, http="h11", log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
