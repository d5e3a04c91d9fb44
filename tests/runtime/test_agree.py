from pathlib import Path

import msgspec
import pytest
from tiny_bundle import Tiny, tiny_card, tiny_model

from convatlas.errors import UserError
from convatlas.runtime.agree import check_agreement
from convatlas.runtime.bundle import Bundle, BundleCard, write_bundle
from convatlas.runtime.loaded import Loaded, Port
from convatlas.runtime.opened import ENGINES, open_classifier


def written(path: Path, card: BundleCard, model: bytes) -> Path:
    write_bundle(path, Bundle(card, model))
    return path


CARD = tiny_card(Tiny())


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
