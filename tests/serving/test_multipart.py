import contextlib

import pytest
from asgi import form
from hypothesis import given
from hypothesis import strategies as st

from convatlas.serving.multipart import Form, Upload
from convatlas.serving.problems import Problem

TYPE = "multipart/form-data; boundary=edge"


def read(
    body: bytes, content_type: str = TYPE, most: int = 10, step: int = 0
) -> tuple[Upload, ...]:
    reader = Form(content_type, most)
    for place in range(0, len(body), step or max(1, len(body))):
        reader.write(body[place : place + (step or len(body))])
    return reader.uploads()


@given(
    blobs=st.lists(st.binary(max_size=60), min_size=1, max_size=4),
    step=st.integers(1, 40),
)
def test_files_come_back_whatever_is_in_them_and_however_they_are_cut(
    blobs: list[bytes], step: int
) -> None:
    sent = [(f"{number}.png", blob) for number, blob in enumerate(blobs)]
    body, headers = form(*sent)
    if any(b"--edge" in blob for blob in blobs):
        return
    assert [(u.name, u.blob) for u in read(body, headers["content-type"], step=step)] == sent


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("../../etc/passwd", "../../etc/passwd"),  # only ever given back
        ("bär 犬.png", "bär 犬.png"),
        ("x" * 1000, "x" * 255),
        (None, None),
        ("", ""),
    ],
)
def test_the_name_is_as_sent(sent: str | None, name: str | None) -> None:
    body, _ = form((sent, b"blob"))
    assert read(body) == (Upload(name, b"blob"),)


def test_a_name_that_is_not_unicode_is_still_a_name() -> None:
    body, _ = form(("?.png", b"blob"))
    assert read(body.replace(b"?", b"\xff"))[0].name == "ÿ.png"


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"", TYPE, "ends before its last boundary"),
        (b"--edge--\r\n", TYPE, "the form is empty"),
        (form(("a", b"b"))[0][:-10], TYPE, "ends before its last boundary"),
        (b"no boundary at all", TYPE, "not a multipart form"),
        (form(("a", b"b"))[0], "multipart/form-data", "names no boundary"),
        (form(("a", b"b"))[0], f"multipart/form-data; boundary={'b' * 500}", "Boundary length"),
        (form(("a", b"b"), field="files")[0], TYPE, "in the field 'images'"),
        (b"--edge\r\n\r\nblob\r\n--edge--\r\n", TYPE, "in the field 'images'"),
        (
            b"--edge\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(500)) + b"\r\n",
            TYPE,
            "header count",
        ),
        (b"--edge\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", TYPE, "header size"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as problem:
        read(body, content_type)
    assert problem.value.status == 400


def test_too_many_pictures_are_refused_before_the_rest_is_read() -> None:
    body, _ = form(*[("a", b"b")] * 3)
    assert len(read(body, most=3)) == 3
    with pytest.raises(Problem, match="more than 2 pictures") as problem:
        Form(TYPE, 2).write(body)
    assert problem.value.status == 413


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_a_problem(tail: bytes) -> None:
    for body in (tail, b"--edge\r\n" + tail, b"--edge\r\nContent-Disposition: form-data" + tail):
        with contextlib.suppress(Problem):
            read(body)
