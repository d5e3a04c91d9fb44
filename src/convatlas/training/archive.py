"""What a run keeps of its last evaluation, so that its report can be drawn again any time.

The test part is not read a second time for a report: scores, labels and the pictures worth
showing are stored when it is opened.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from convatlas.data.dataset import Pictures
from convatlas.training.evaluate import Evaluation
from convatlas.training.tensorfile import damaged, read_tensors, write_tensors

WORST = 24  # pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An evaluation of one part (``"test"`` or ``"validation"``) with some of its pictures."""

    part: str
    evaluation: Evaluation
    worst: Tensor  # indices of the most confidently wrong
    worst_images: Tensor  # uint8 (W, C, H, W), in the same order
    sample: Tensor  # uint8 (C, H, W): the first picture, for the feature maps


def archive(part: str, evaluation: Evaluation, pictures: Pictures) -> Archive:
    """Pick what to keep."""
    worst = evaluation.worst(WORST)
    images = pictures.images.cpu()
    return Archive(
        part=part,
        evaluation=evaluation,
        worst=worst,
        worst_images=images[worst],
        sample=images[0],
    )


def save_archive(kept: Archive, path: Path, weights_sha256: str) -> None:
    """Write it beside the run's other files, bound to the weights it was computed with."""
    tensors = {
        "scores": kept.evaluation.scores,
        "labels": kept.evaluation.labels,
        "worst": kept.worst,
        "worst_images": kept.worst_images,
        "sample": kept.sample,
    }
    write_tensors(path, tensors, {"part": kept.part, "weights": weights_sha256})


def load_archive(path: Path, weights_sha256: str) -> Archive:
    """Read it back; `UserError` if it is missing, damaged, or of other weights."""
    tensors, strings = read_tensors(path)
    if strings.get("weights") != weights_sha256:
        raise damaged(path, "it belongs to other weights than those of this run")
    try:
        return Archive(
            part=strings["part"],
            evaluation=Evaluation(tensors["scores"], tensors["labels"]),
            worst=tensors["worst"],
            worst_images=tensors["worst_images"],
            sample=tensors["sample"],
        )
    except KeyError as error:
        raise damaged(path, error) from None
