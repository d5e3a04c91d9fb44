import re
import sys
import xml.etree.ElementTree as ET

from convatlas.reports.curves import curves


def test_nothing_to_draw(draw_history):
    assert curves(draw_history(0), "validation") == ()


def test_one_epoch_has_curves_of_what_was_measured_within_it(draw_history):
    found = curves(draw_history(1), "validation")
    assert [curve.title for curve in found] == ["Training loss", "Learning rate"]


def test_three_curves(draw_history):
    found = curves(draw_history(4), "validation")
    assert [curve.title for curve in found] == [
        "Training loss",
        "Validation error, %",
        "Learning rate",
    ]
    for curve in found:
        ET.fromstring(curve.svg)


def test_without_validation_two(draw_history):
    assert len(curves(draw_history(3, validation=False), "validation")) == 2


def test_choices_on_the_test_part_are_called_so(draw_history):
    assert curves(draw_history(2), "test")[1].title == "Test error, %"


def test_ids_are_unique_over_all_drawings(draw_history):
    text = "".join(curve.svg for curve in curves(draw_history(12), "validation"))
    ids = re.findall(r'id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", text)) <= set(ids)


def test_colours_are_the_page_s(draw_history):
    for curve in curves(draw_history(2), "validation"):
        assert "currentColor" in curve.svg
        assert "var(--line)" in curve.svg
        assert "<style" not in curve.svg


def test_described_in_words(draw_history):
    svg = curves(draw_history(2), "validation")[0].svg
    assert 'aria-label="Training loss: from 2.5 after 0.25 epochs to 0.75 after 1.75"' in svg


def test_same_history_same_bytes(draw_history):
    assert curves(draw_history(3), "validation") == curves(draw_history(3), "validation")


def test_no_pyplot(draw_history):
    curves(draw_history(2), "validation")
    assert "matplotlib.pyplot" not in sys.modules
