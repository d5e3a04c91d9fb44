"""MNIST's files, which come inside the package. Never imports torch."""

from pathlib import Path

from convatlas.data.idx_pair import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    Pair,
    read_pair,
)

MNIST = Path(__file__).parent / "mnist"
MNIST_SHA256 = {  # of the files as they lie in the package
    TRAIN_IMAGES: "7ff28fd295f802eefc6d40e461175dfe4b969b1842b2abc8c6dc8c20711cf79f",
    TRAIN_LABELS: "81a978ae83d39ffdba0db3ce2fcaf80a8921e9629e874428996a2b03242d4b2a",
    TEST_IMAGES: "197e111ae341b0770be9011ac5e622d0e6cd1c640b32eb0de5dc1dd26cc6e182",
    TEST_LABELS: "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}


def read_mnist_train() -> Pair:
    """MNIST's training part as arrays; meant to run in a thread while torch is imported."""
    return read_pair(MNIST, "train", checksums=MNIST_SHA256)
