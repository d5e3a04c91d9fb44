from convatlas.analysis.differences.difference import Change, Effect
from convatlas.analysis.differences.fold import fold


def change(what: str, a: str, b: str, place: str, macs: int = 0) -> Change:
    return Change(what=what, a=a, b=b, places=((place, place),), effect=Effect(1, macs))


def test_equal_changes_are_one_with_all_places() -> None:
    (one,) = fold([change("eps", "1", "2", "x"), change("eps", "1", "2", "y")])
    assert (one.times, one.places, one.effect) == (2, (("x", "x"), ("y", "y")), Effect(2, 0))


def test_widths_that_grow_alike_are_one() -> None:
    what = "width of convolution 3×3"
    widths = (("64", "128"), ("128", "256"), ("64", "96"))
    doubled, other = fold([change(what, a, b, a) for a, b in widths])
    assert (doubled.a, doubled.b, doubled.times) == ("64, 128", "128, 256", 2)
    assert (other.a, other.b) == ("64", "96")


def test_a_stride_that_moves_is_one() -> None:
    one, other = "stride of convolution 1×1", "stride of convolution 3×3"
    (moved,) = fold([change(one, "2", "1", "x", 5), change(other, "1", "2", "y", -2)])
    assert moved.what == "place of stride 2"
    assert (moved.a, moved.b) == ("convolution 1×1", "convolution 3×3")
    assert moved.effect.macs == 3
    assert len(fold([change(one, "2", "1", "x"), change(other, "2", "1", "y")])) == 2


def test_blocks_that_differ_in_width_alone_are_one() -> None:
    parts = [
        Change(what="added", a="", b=f"conv, {width}", places=(("", "x"),), plain=("", "conv"))
        for width in (64, 128)
    ]
    (one,) = fold(parts)
    assert (one.times, one.b) == (2, "conv")
    assert fold(parts[:1])[0].b == "conv, 64"
