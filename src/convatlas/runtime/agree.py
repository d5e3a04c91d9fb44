"""Whether the model in a bundle is the one its card tells of, so that mistakes show early."""

from math import prod
from pathlib import Path

from convatlas.errors import UserError
from convatlas.runtime.bundle import BundleCard
from convatlas.runtime.loaded import Loaded, Port

INPUT = "pixels"
Sizes = tuple[int | None, ...]


def check_agreement(path: Path, card: BundleCard, loaded: Loaded) -> None:
    """Refuse a model that reads or gives something else than the card says.

    Raises `UserError` with both; also where the preparation makes pictures of another size than
    the model reads, and for a model that does not classify.
    """
    wanted = Port(INPUT, "uint8" if card.fused else "float32", card.input)
    reads = loaded.inputs[0] if len(loaded.inputs) == 1 else None
    if reads is None or not _fits(wanted, reads):
        found = "; ".join(map(str, loaded.inputs)) or "nothing"
        raise UserError(
            f"the model in {path} reads {found}, its card says {wanted}; export it again"
        )
    _check_preparation(path, card)
    _check_figures(path, card)
    _check_scores(path, card, loaded.outputs[0] if loaded.outputs else None)


def _fits(wanted: Port, reads: Port) -> bool:
    """Equal in name and kind; a size that one of them leaves free may be anything in the other.

    An engine may have fixed the batch that the card leaves free.
    """
    return (wanted.name, wanted.dtype) == (reads.name, reads.dtype) and _same(
        wanted.shape, reads.shape
    )


def _same(a: Sizes, b: Sizes) -> bool:
    return len(a) == len(b) and all(
        x is None or y is None or x == y for x, y in zip(a, b, strict=True)
    )


def _check_preparation(path: Path, card: BundleCard) -> None:
    how = card.preparation
    if how is None:
        return  # which `Classifier` refuses, saying why
    side = (how.crop or how.side) + (0 if card.fused else 2 * how.pad)
    if not _same((side, side), card.input[2:]):
        raise UserError(
            f"the card in {path} prepares pictures of {side} x {side} for a network that reads "
            f"{card.input[2]} x {card.input[3]}; export it again"
        )


def _check_figures(path: Path, card: BundleCard) -> None:
    """Refuse a mean or deviation that does not fit the prepared pictures, or is none.

    One for each channel, or for each pixel of each channel.
    """
    how = card.preparation
    if how is None:
        return  # as above
    channels, side = card.input[1], (how.crop or how.side) + 2 * how.pad
    for name, found in (("mean", how.mean), ("deviation", how.deviation)):
        fits = found.shape in ((channels, 1, 1), (channels, side, side))
        if not fits or len(found.values) != prod(found.shape):
            raise UserError(
                f"the card in {path} has {len(found.values)} figures of {name} as "
                f"{' x '.join(map(str, found.shape))} for pictures of {channels} x {side} x {side};"
                " export it again"
            )


def _check_scores(path: Path, card: BundleCard, scores: Port | None) -> None:
    if scores is None or len(scores.shape) != 2:
        found = "nothing" if scores is None else str(scores)
        raise UserError(
            f"predicting is for classifiers, which give (pictures, classes); {card.network} in "
            f"{path} gives {found}"
        )
    count = scores.shape[1]
    if card.labels and count not in (None, len(card.labels)):
        raise UserError(
            f"the card in {path} names {len(card.labels)} classes, its model has {count}; "
            "export it again"
        )
