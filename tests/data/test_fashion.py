from convatlas.data.fashion import CLASSES, DEBIAN, PUBLISHED, SOURCE
from convatlas.data.idx_pair import FILES


def test_both_packings_cover_all_four_files() -> None:
    assert tuple(PUBLISHED) == tuple(DEBIAN) == FILES
    assert not set(PUBLISHED.values()) & set(DEBIAN.values())
    assert SOURCE.sha256 == PUBLISHED


def test_the_classes_have_names() -> None:
    assert len(CLASSES) == 10
    assert (CLASSES[0], CLASSES[9]) == ("T-shirt/top", "Ankle boot")
