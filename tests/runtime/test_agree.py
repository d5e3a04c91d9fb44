import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tiny_bundle import Tiny, tiny_card, tiny_model

from convatlas.errors import UserError
from convatlas.runtime.agree import check_agreement
from convatlas.runtime.bundle import Bundle, BundleCard, Figures, write_bundle
from convatlas.runtime.classifier import softmax
from convatlas.runtime.loaded import Loaded, Port
from convatlas.runtime.opened import ENGINES, open_classifier


def written(path: Path, card: BundleCard, model: bytes) -> Path:
    write_bundle(path, Bundle(card, model))
    return path


CARD = tiny_card(Tiny())


def odd(**figures: Figures) -> BundleCard:
    """With another mean or deviation."""
    return msgspec.structs.replace(
        CARD, preparation=msgspec.structs.replace(CARD.preparation, **figures)
    )


@pytest.mark.parametrize(
    ("card", "tiny", "said"),
    [
        (tiny_card(Tiny(fused=True)), Tiny(), r"reads pixels, float32 .* its card says .*uint8"),
        (CARD, Tiny(fused=True), r"reads pixels, uint8 any x 3 x 8 x 8, its card says .*float32"),
        (CARD, Tiny(channels=1), r"reads pixels, float32 any x 1 x 8 x 8, its card says"),
        (tiny_card(Tiny(batch=2)), Tiny(batch=3), r"reads .* 3 x 3 x 8 x 8, its card says .* 2 x"),
        (
            msgspec.structs.replace(CARD, input=(None, 3, 9, 8)),
            Tiny(),
            r"any x 3 x 8 x 8, its card says pixels, float32 any x 3 x 9 x 8; export it again",
        ),
        (
            msgspec.structs.replace(
                CARD, preparation=msgspec.structs.replace(CARD.preparation, pad=1)
            ),
            Tiny(),
            "prepares pictures of 10 x 10 for a network that reads 8 x 8",
        ),
        (CARD, Tiny(maps=True), r"for classifiers.*tiny in .* gives scores, float32 any x 3 x 8"),
        (CARD, Tiny(classes=5), "names 3 classes, its model has 5"),
        (msgspec.structs.replace(CARD, preparation=None), Tiny(), "not say how pictures are prep"),
        (odd(mean=Figures(shape=(1, 1, 1), values=(0.5,))), Tiny(), "1 figures of mean as 1 x 1 x"),
        (
            odd(mean=Figures(shape=(3, 4, 8), values=(0.5,) * 96)),
            Tiny(),
            "96 figures of mean as 3 x 4 x 8 for pictures of 3 x 8 x 8; export it again",
        ),
        (
            odd(deviation=Figures(shape=(3, 1, 1), values=(1.0,) * 2)),
            Tiny(),
            "2 figures of deviation as 3 x 1 x 1 for pictures of 3 x 8 x 8; export it again",
        ),
    ],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_model_and_a_card_at_odds(
    card: BundleCard, tiny: Tiny, said: str, engine: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "t.convatlas", card, tiny_model(tiny))
    with pytest.raises(UserError, match=said) as raised:
        open_classifier(path, engine=engine)
    assert "\n" not in str(raised.value)


def loaded(inputs: tuple[Port, ...], outputs: tuple[Port, ...]) -> Loaded:
    return Loaded(inputs=inputs, outputs=outputs, run=lambda fed: fed)


def test_models_of_another_kind_altogether() -> None:
    pixels, scores = Port("pixels", "float32", (None, 3, 8, 8)), Port("scores", "float32", (2, 3))
    check_agreement(Path("x"), CARD, loaded((pixels,), (scores,)))
    for inputs, said in (
        ((), "reads nothing, its card says pixels"),
        ((pixels, pixels), "reads pixels, float32 any x 3 x 8 x 8; pixels, float32"),
        ((Port("image", "float32", (None, 3, 8, 8)),), "reads image, float32"),
        ((Port("pixels", "float32", (None, 3, 64)),), "reads pixels, float32 any x 3 x 64,"),
    ):
        with pytest.raises(UserError, match=said):
            check_agreement(Path("x"), CARD, loaded(inputs, (scores,)))
    with pytest.raises(UserError, match=r"for classifiers, .*tiny in x gives nothing"):
        check_agreement(Path("x"), CARD, loaded((pixels,), ()))


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 8, 8)])
def test_figures_are_of_channels_or_of_pixels(shape: tuple[int, int, int], tmp_path: Path) -> None:
    card = odd(mean=Figures(shape=shape, values=(0.5,) * math.prod(shape)))
    path = written(tmp_path / "t.convatlas", card, tiny_model(Tiny()))
    shown = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8), np.uint8)
    found = open_classifier(path).probabilities(shown)
    np.testing.assert_allclose(found, softmax(Tiny().scores(shown)), rtol=1e-4)
