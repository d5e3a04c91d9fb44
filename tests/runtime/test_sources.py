import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convatlas.errors import UserError
from convatlas.runtime.sources import PassedOver, is_many, listed, sources


@pytest.fixture
def pics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures by name, other files, hidden ones, and links."""
    names = (
        *("b.PNG", "a.jpg", "notes.txt", ".hidden.jpg", "10.bmp", "9.bmp"),
        *("sub/c.jpeg", "sub/deep/d.webp", "sub/deep/e.jpg", "sub/other.csv"),
        *(".git/x.jpg", "a[1].png", "empty/only.txt"),
    )
    for name in names:
        (tmp_path / "pics" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pics" / name).touch()
    (tmp_path / "pics" / "loop").symlink_to(tmp_path / "pics", target_is_directory=True)
    (tmp_path / "pics" / "z.jpg").symlink_to(tmp_path / "pics" / "a.jpg")
    monkeypatch.chdir(tmp_path)
    return Path("pics")


def found(*arguments: str | Path) -> list[str]:
    return [source.path.as_posix() for source in sources(arguments, PassedOver())]


def test_a_folder_is_all_its_visible_pictures_in_order(pics: Path) -> None:
    passed = PassedOver()
    seen = [source.path.relative_to("pics").as_posix() for source in sources([pics], passed)]
    assert seen == [
        *("10.bmp", "9.bmp", "a.jpg", "a[1].png", "b.PNG"),
        *("sub/c.jpeg", "sub/deep/d.webp", "sub/deep/e.jpg", "z.jpg"),
    ]
    assert passed.count == 4  # two texts, a table, and the link to a folder


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("pics/*.jpg", ["a.jpg", "z.jpg"]),
        ("pics/**/*.jpg", ["a.jpg", "z.jpg", "sub/deep/e.jpg"]),
        ("pics/**/**/*.jpg", ["a.jpg", "z.jpg", "sub/deep/e.jpg"]),
        ("pics/sub/**", ["sub/c.jpeg", "sub/deep/d.webp", "sub/deep/e.jpg"]),
        ("pics/*/*", ["a.jpg", "a[1].png", "b.PNG", "10.bmp", "9.bmp", "z.jpg", "sub/c.jpeg"]),
        ("pics/?.[jb]*", ["9.bmp", "a.jpg", "z.jpg"]),
        ("p*/s*/**/d.*", ["sub/deep/d.webp"]),
        ("**/d.webp", ["sub/deep/d.webp"]),
        ("pics/.git/*.jpg", [".git/x.jpg"]),
        ("pics/*/c.jpeg", ["sub/c.jpeg"]),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_a_pattern_is_expanded(
    pattern: str, names: list[str], absolute: bool, pics: Path, tmp_path: Path
) -> None:
    start = f"{tmp_path.as_posix()}/" if absolute else ""
    seen = found(start + pattern)
    if pattern == "pics/*/*":  # the link `loop` is a folder that the user's pattern leads through
        assert f"{start}pics/sub/c.jpeg" in seen
        assert f"{start}pics/loop/a.jpg" in seen
    else:
        assert seen == [f"{start}pics/{name}" for name in names]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(pics: Path) -> None:
    assert found("pics/a[1].png") == ["pics/a[1].png"]
    assert not is_many("pics/a[1].png")
    assert is_many("pics/a[12].png")
    assert is_many(pics)


def test_what_is_named_is_taken_whatever_its_name(pics: Path) -> None:
    assert found("pics/notes.txt", "none.jpg") == ["pics/notes.txt", "none.jpg"]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("pics/empty", "no picture in this folder, 1 of other names; pictures are named .jpg"),
        ("pics/*.tiff", "no picture fits this pattern; pictures are named .jpg"),
        ("pics/sub/*.csv", "no picture fits this pattern, 1 of other names; pictures"),
        ("nowhere/**/*.jpg", "no picture fits this pattern"),
    ],
)
def test_what_means_nothing_is_a_problem(argument: str, said: str, pics: Path) -> None:
    first, second = sources([argument, "pics/a.jpg"], PassedOver())
    assert first.path == Path(argument)
    assert first.problem is not None
    assert first.problem.startswith(said)
    assert second.problem is None


def test_a_closed_folder_is_a_problem_and_the_rest_goes_on(
    pics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def closed(path: str) -> object:
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)  # the tests may run as root, who may read all
    for argument in ("pics", "pics/**/*.*"):
        made = list(sources([argument], PassedOver()))
        problems = [source for source in made if source.problem]
        assert [(p.path.as_posix(), p.problem) for p in problems] == [
            ("pics/sub/deep", "cannot be read: Permission denied")
        ]
        assert len(made) > 5


def test_folders_nested_deeper_than_functions_may_be(
    tmp_path: Path,
) -> None:
    deep = tmp_path.joinpath(*"d" * 200)
    deep.mkdir(parents=True)
    (deep / "x.jpg").touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 120)
    try:
        made = list(sources([tmp_path], PassedOver()))
    finally:
        sys.setrecursionlimit(limit)
    assert [source.path.name for source in made] == ["x.jpg"]


def reading(blob: bytes, sizes: list[int]) -> Callable[[int], bytes]:
    """Gives a blob in pieces of those sizes, then all that is left."""
    left = [blob]

    def read(most: int) -> bytes:
        size = min(most, sizes.pop(0)) if sizes else most
        piece, left[0] = left[0][:size], left[0][size:]
        return piece

    return read


NAMES = st.lists(
    st.binary(min_size=1, max_size=12).filter(
        lambda name: not set(name) & {0, 10, 13} and Path(os.fsdecode(name)).name
    ),
    min_size=1,
    max_size=20,
)


@given(NAMES, st.lists(st.integers(1, 9), max_size=30), st.booleans())
def test_a_list_of_names_is_read_in_pieces_of_any_size(
    names: list[bytes], sizes: list[int], ended: bool
) -> None:
    blob = b"\n".join(names) + (b"\n" if ended else b"")
    assert [s.path for s in listed(reading(blob, sizes))] == [Path(os.fsdecode(n)) for n in names]


def test_names_separated_by_nul_may_hold_anything_else() -> None:
    assert [str(s.path) for s in listed(reading(b"a\nb.jpg\0c d.jpg\0", []))] == [
        "a\nb.jpg",
        "c d.jpg",
    ]


def test_ends_of_line_of_any_system_and_empty_lines() -> None:
    assert [str(s.path) for s in listed(reading(b"a.jpg\r\n\r\n\nb.jpg", []))] == ["a.jpg", "b.jpg"]


def test_a_name_is_given_out_before_the_next_is_read() -> None:
    asked: list[int] = []

    def read(most: int) -> bytes:
        asked.append(most)
        return b"a.jpg\n" if len(asked) == 1 else b""

    names = listed(read)
    assert str(next(names).path) == "a.jpg"
    assert len(asked) == 1


def test_an_empty_list_is_an_error() -> None:
    with pytest.raises(UserError, match="standard input names no files"):
        list(listed(reading(b"\n\n", [])))
