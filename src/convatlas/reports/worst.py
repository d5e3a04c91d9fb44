"""The pictures a network was most sure of, and wrong about."""

from dataclasses import dataclass

from convatlas.reports.numbers import NBSP
from convatlas.reports.pictures import Picture, picture, thumbnail
from convatlas.training.archive import Archive

SIDE = 96  # pixels kept of a larger picture


@dataclass(frozen=True, slots=True)
class WorstPicture:
    """One picture with both classes and the probability given to the wrong one."""

    picture: Picture
    true: str
    predicted: str
    probability: str
    number: int  # its place in the part evaluated, from 0


def worst_pictures(kept: Archive, classes: tuple[str, ...]) -> tuple[WorstPicture, ...]:
    """In the archive's order, the most confidently wrong first."""
    evaluation, found = kept.evaluation, []
    for index, pixels in zip(kept.worst.tolist(), kept.worst_images, strict=True):
        true = classes[int(evaluation.labels[index])]
        wrong = int(evaluation.scores[index].argmax())
        share = float(evaluation.scores[index].softmax(0)[wrong])
        alt = f"a picture of class {true}, taken for {classes[wrong]}"
        found.append(
            WorstPicture(
                picture=picture(thumbnail(pixels, SIDE), alt),
                true=true,
                predicted=classes[wrong],
                probability=f"{min(100 * share, 99.9):.1f}{NBSP}%",  # 100.0 would claim certainty
                number=index,
            )
        )
    return tuple(found)
