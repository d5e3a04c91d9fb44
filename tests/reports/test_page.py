import re
from html.parser import HTMLParser

import msgspec
import pytest

from convatlas.errors import UserError
from convatlas.reports import write_report
from convatlas.training.archive import WORST, load_archive
from convatlas.training.run import RunFolder, load_run, rewrite_card

SECTIONS = ("protocol", "training", "mistakes", "worst", "inside", "network", "recipe", "data")
VOID = {"meta", "img", "br"}
SEALED = {"status": "interrupted", "test": None, "test_openings": (), "step": 7}


class Page(HTMLParser):
    """Elements in order as (tag, attributes, own text); refuses tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_data(self, data):
        if self.open:
            self.open[-1][2].append(data)

    def all(self, tag):
        return [
            (attrs, "".join(text).strip()) for name, attrs, text in self.elements if name == tag
        ]


def drawn(folder):
    return write_report(folder).read_text(encoding="utf-8")


@pytest.fixture
def text(make_run):
    return drawn(make_run())


def test_written_where_the_run_says_and_nothing_beside_it(make_run):
    folder = make_run()
    before = {path.name for path in folder.path.iterdir()}
    assert write_report(folder) == folder.report
    assert {path.name for path in folder.path.iterdir()} == before | {"report.html"}


def test_needs_nothing_but_itself(text):
    page = Page(text)
    tags = {tag for tag, _, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base"}
    for tag, attrs, _ in page.elements:
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert attrs.get(name, "#").startswith(("#", "data:image/png;base64,")), (tag, name)
        assert not any(name.startswith("on") for name in attrs)
    assert "@import" not in text
    assert "url(http" not in text


def test_every_section(text):
    page = Page(text)
    assert [attrs["id"] for attrs, _ in page.all("section")] == list(SECTIONS)
    links = [attrs["href"] for attrs, _ in page.all("a")]
    assert links == [f"#{name}" for name in SECTIONS]
    assert "Left out" not in text


def test_ids_are_unique(text):
    ids = [attrs["id"] for _, attrs, _ in Page(text).elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_accessible(text):
    page = Page(text)
    assert page.all("html")[0][0]["lang"] == "en"
    assert all(attrs["alt"] for attrs, _ in page.all("img"))
    assert all(attrs.get("scope") for attrs, _ in page.all("th"))
    assert all(attrs.get("aria-label") for attrs, _ in page.all("svg"))


def test_confusion_cells_sum_to_the_pictures(text):
    cells = [
        int(value)
        for attrs, value in Page(text).all("td")
        if attrs.get("class") in ("right", "wrong", "none")
    ]
    assert len(cells) == 100
    assert sum(cells) == 300


def test_number_of_pictures(make_run):
    folder = make_run()
    wrong = load_archive(
        folder.evaluation, load_run(folder.path).card.weights_sha256
    ).evaluation.errors
    images = Page(drawn(folder)).all("img")
    assert len(images) == min(wrong, WORST) + 1 + 1 + 4  # filters, sample, four layers


def test_names_are_escaped(make_run):
    classes = ("<b>bold</b>", "a & b", *"23456789")
    folder = make_run(classes=classes)
    card = load_run(folder.path).card
    data = msgspec.structs.replace(
        card.data, name="folder:/tmp/<i>x", rejected=("<script>alert(1)</script>: no picture",)
    )
    rewrite_card(folder, msgspec.structs.replace(card, data=data))
    text = drawn(folder)
    assert "<b>" not in text
    assert "<i>" not in text
    assert "<script" not in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "1 file left out" in text
    Page(text)


def test_same_run_same_bytes(make_run):
    folder = make_run(epochs=3)
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first


def test_interrupted(make_run):
    text = drawn(make_run(**SEALED))
    assert "after step 7 of 14" in text
    assert "The test part is still sealed" in text
    assert "On the validation part" in text
    assert "Every opening of the test part" not in text


def test_interrupted_without_validation(make_run):
    text = drawn(make_run(**SEALED, validation=None, selected_on="nothing", epochs=0))
    page = Page(text)
    assert text.count("Left out: The run was interrupted before") == 3
    assert "no error measured yet" in text
    assert len(page.all("img")) == 1  # the filters need no evaluation
    assert [attrs["id"] for attrs, _ in page.all("section")] == list(SECTIONS)


def test_evaluation_lost(make_run):
    folder = make_run()
    folder.evaluation.unlink()
    assert "no longer holds evaluation.safetensors" in drawn(folder)


def test_chosen_on_the_test_part(make_run):
    text = drawn(make_run(selected_on="test"))
    assert "Chosen on the test part." in text
    assert "Test error, %" in text
    assert 'class="banner"' in text


def test_interrupted_after_choosing_on_the_test_part(make_run):
    text = drawn(make_run(status="interrupted", test=None, selected_on="test"))
    assert "still sealed" not in text
    assert "On the test part, " in text


def test_no_banner_on_a_clean_run(text):
    assert 'class="banner' not in text


@pytest.mark.parametrize(("epochs", "curves"), [(0, 0), (1, 2), (2, 3)])
def test_curves_of_what_was_measured(make_run, epochs, curves):
    assert len(Page(drawn(make_run(epochs=epochs))).all("svg")) == curves


def test_every_epoch_has_its_row(make_run):
    rows = re.findall(r'<th scope="row" class="number">(\d+)</th>', drawn(make_run(epochs=4)))
    assert rows == ["1", "2", "3", "4"]


def test_many_classes_on_colour_pictures(make_run):
    names = tuple(f"class {index}" for index in range(40))
    text = drawn(make_run("lenet-relu", names, shape=(3, 32)))
    assert "Confusion matrix of 40 classes" in text
    assert "The other 10 classes" in text
    assert "Red, green and blue weights" in text
    assert "Top-5 error" in text
    Page(text)


def test_lenet5(make_run):
    text = drawn(make_run("lenet5", shape=(1, 32)))
    assert "TableConvolution" in text
    assert "340,908" not in text  # the paper counts connections, with biases
    assert "60,000" in text


def test_no_mistakes(make_run):
    text = drawn(make_run(lead=100.0))
    assert "None: every picture of the test part was classified correctly." in text
    assert "Commonest confusions" not in text
    assert "0 wrong of 300" in text


def test_not_a_run(tmp_path):
    with pytest.raises(UserError, match="no run folder"):
        write_report(RunFolder(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("status", "sentence"),
    [("diverged", "the weights are those of its last checkpoint"), ("untested", "resume it")],
)
def test_runs_that_ended_otherwise_say_how(make_run, status, sentence):
    text = drawn(make_run(**{**SEALED, "status": status}))
    assert sentence in text
    assert "The test part is still sealed" in text
