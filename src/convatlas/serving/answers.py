"""What the server answers, as types; the OpenAPI document is made from them."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from convatlas.runtime.bundle import BundleCard
from convatlas.runtime.classifier import Classifier, best_first


class Guess(msgspec.Struct, frozen=True, kw_only=True):
    """A class, its place among the network's outputs, and its probability."""

    label: str = msgspec.field(name="class")
    index: int
    probability: float


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """Of one picture: the most probable classes first, or why there are none."""

    name: str | None
    guesses: tuple[Guess, ...]
    error: str | None


class Predictions(msgspec.Struct, frozen=True, kw_only=True):
    """In the order in which the pictures were sent."""

    network: str
    predictions: tuple[Prediction, ...]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What is served. ``input`` is (N, C, H, W), null where any size is taken."""

    network: str
    precision: str
    engine: str
    weights: str | None
    input: tuple[int | None, ...]
    decoded_side: int
    num_classes: int
    labels: tuple[str, ...]
    versions: dict[str, str]


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are."""

    service: str = "convatlas"
    openapi: str = "/openapi.json"
    predict: str = "/predict"
    model: str = "/model"
    metrics: str = "/metrics"
    health: str = "/healthz"
    ready: str = "/readyz"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is."""

    status: str


def model(card: BundleCard, engine: str, num_classes: int) -> Model:
    """From a card. Of its source only the kind of weights: the rest may name people's folders."""
    assert card.preparation
    return Model(
        network=card.network,
        precision=card.precision,
        engine=engine,
        weights=card.source.get("weights"),
        input=card.input,
        decoded_side=card.preparation.side,
        num_classes=num_classes,
        labels=card.labels,
        versions=card.versions,
    )


def guesses(
    classifier: Classifier, probabilities: NDArray[np.float32], top: int
) -> tuple[Guess, ...]:
    """`Classifier.best` with the places of the classes among the network's outputs."""
    return tuple(
        Guess(label=classifier.label(i), index=i, probability=float(probabilities[i]))
        for i in best_first(probabilities, top)
    )
