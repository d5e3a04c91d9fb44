import msgspec
import numpy as np
import pytest

from convatlas.runtime.classifier import Classifier
from convatlas.serving.limits import Limits
from convatlas.serving.service import Service, service, warm


class Counted:
    """An engine that notes the sizes of its batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, fed: np.ndarray) -> np.ndarray:
        self.sizes.append(len(fed))
        return np.zeros((len(fed), 7), np.float32)


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [1]), (2, [1, 2]), (8, [1, 2, 4, 8]), (11, [1, 2, 4, 8, 11])]
)
def test_warming_meets_every_order_of_batch(
    classifier: Classifier, most: int, sizes: list[int]
) -> None:
    engine = Counted()
    assert warm(Classifier(card=classifier.card, run=engine), most) == 7
    assert engine.sizes == sizes


def test_a_bundle_of_one_size_of_batch_is_given_no_more(classifier: Classifier) -> None:
    batch, *sizes = classifier.card.input
    assert batch is None
    engine = Counted()
    card = msgspec.structs.replace(classifier.card, input=(1, *sizes))
    served: Service = service(Classifier(card=card, run=engine), Limits(), engine="counted")
    assert engine.sizes == [1]
    assert served.limits.max_batch == 1
    served.decoders.shutdown()
