import asyncio
import threading
import time

import msgspec
import numpy as np
import pytest
from noise import encoded
from PIL import ImageFile

from convatlas.runtime.classifier import Classifier
from convatlas.serving.budget import Sent
from convatlas.serving.limits import Limits
from convatlas.serving.multipart import Upload
from convatlas.serving.service import Service, service, warm


class Counted:
    """An engine that notes the sizes of its batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, fed: np.ndarray) -> np.ndarray:
        self.sizes.append(len(fed))
        return np.zeros((len(fed), 7), np.float32)


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1, [1] * 4), (2, [1, *[2] * 4]), (8, [1, 2, 4, *[8] * 4]), (11, [1, 2, 4, 8, *[11] * 4])],
)
def test_warming_meets_every_order_of_batch(
    classifier: Classifier, most: int, sizes: list[int]
) -> None:
    engine = Counted()
    num_classes, seconds = warm(Classifier(card=classifier.card, run=engine), most)
    assert num_classes == 7
    assert seconds > 0
    assert engine.sizes == sizes


def test_a_bundle_of_one_size_of_batch_is_given_no_more(classifier: Classifier) -> None:
    batch, *sizes = classifier.card.input
    assert batch is None
    engine = Counted()
    card = msgspec.structs.replace(classifier.card, input=(1, *sizes))
    served: Service = service(Classifier(card=card, run=engine), Limits(), engine="counted")
    assert set(engine.sizes) == {1}
    assert served.limits.max_batch == 1
    served.decoders.end()


def test_as_many_pictures_are_decoded_at_once_as_it_is_told(classifier: Classifier) -> None:
    """Each may take hundreds of megabytes."""
    inside, most, lock = 0, 0, threading.Lock()

    def load(image: ImageFile.ImageFile) -> object:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.02)
        with lock:
            inside -= 1
        return whole(image)

    whole = ImageFile.ImageFile.load
    served = service(classifier, Limits(), engine="onnxruntime", threads=2)
    blob = encoded(0, 400, 300)

    async def story() -> None:
        waiting = [served.decoders.begin(Sent(Upload(None, blob), served.budget)) for _ in range(8)]
        await asyncio.gather(*waiting)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PIL.ImageFile.ImageFile.load", load)
        asyncio.run(story())
    assert most == 2
    served.decoders.end()
