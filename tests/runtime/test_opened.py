import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_bundle import SIDE, Tiny, tiny_bundle, tiny_card, tiny_model

from convatlas.errors import UserError
from convatlas.runtime.bundle import Bundle, write_bundle
from convatlas.runtime.classifier import softmax
from convatlas.runtime.format_names import SUFFIXES
from convatlas.runtime.opened import ENGINES, in_batches, open_classifier

COUNTS = (1, 2, 3, 7)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path / "cache"))


def pictures(count: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, channels, SIDE, SIDE), np.uint8)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("batch", [None, 1, 3, 8])
@pytest.mark.parametrize(
    "tiny",
    [
        Tiny(),
        Tiny(channels=1, labels=(), wide=5),
        Tiny(batch=1),
        Tiny(batch=3),
        Tiny(fused=True),
        Tiny(fused=True, batch=2),
        Tiny(wide=16),
    ],
    ids=str,
)
def test_any_number_of_pictures_gives_what_numpy_computes(
    engine: str, batch: int | None, tiny: Tiny, tmp_path: Path
) -> None:
    path = tiny_bundle(tmp_path / "t.convatlas", tiny)
    made = open_classifier(path, threads=1, engine=engine, batch=batch)
    for count in COUNTS:
        shown = pictures(count, tiny.channels)
        found = made.probabilities(shown)
        # float32 sums over 64 pixels and a matrix
        np.testing.assert_allclose(found, softmax(tiny.scores(shown)), rtol=1e-4, atol=1e-6)


def test_a_red_picture_is_red(tmp_path: Path) -> None:
    made = open_classifier(tiny_bundle(tmp_path / "t.convatlas"))
    Image.new("RGB", (30, 20), (250, 10, 40)).save(tmp_path / "x.png")
    [best, *_] = made.best(made.probabilities(made.decode(tmp_path / "x.png"))[0], 3)
    assert best.label == "red"
    # softmax of 10 times the means of the channels
    means = np.array([250, 10, 40]) / 255 * 10
    assert best.probability == pytest.approx(np.exp(means[0]) / np.exp(means).sum(), rel=1e-5)


def test_the_last_pictures_are_filled_up_with_nothing() -> None:
    fed: list[np.ndarray] = []

    def run(part: np.ndarray) -> np.ndarray:
        fed.append(part)
        return part[:, :2, 0, 0]

    given = pictures(7).astype(np.float32)
    np.testing.assert_array_equal(in_batches(run, given, 3), given[:, :2, 0, 0])
    assert [len(part) for part in fed] == [3, 3, 3]
    assert not fed[2][1:].any()


def written(path: Path, model: bytes) -> Path:
    write_bundle(path, Bundle(tiny_card(Tiny()), model))
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broken_model_in_a_good_archive(engine: str, tmp_path: Path) -> None:
    model = tiny_model(Tiny())
    for broken in (b"", b"no model", model[: len(model) // 2], model[:-3] + b"abc"):
        path = written(tmp_path / "t.convatlas", broken)
        with pytest.raises(UserError, match=f"{engine} cannot read the model in") as raised:
            open_classifier(path, engine=engine)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off(share: float, tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "t.convatlas", Tiny(wide=64))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"is no bundle, or damaged: .*; export it again"):
        open_classifier(path)


def test_a_changed_byte_is_noticed_or_makes_no_difference(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "t.convatlas")
    whole = path.read_bytes()
    expected = open_classifier(path, threads=1).probabilities(pictures(1))
    noticed, places = 0, range(0, len(whole), 7)
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            found = open_classifier(path, threads=1).probabilities(pictures(1))
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
            noticed += 1
        else:
            np.testing.assert_array_equal(found, expected)  # a date in the archive, say
    assert noticed > len(places) / 2


def test_what_is_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"0123")
    (tmp_path / "random.convatlas").write_bytes(np.random.default_rng(0).bytes(5000))
    with zipfile.ZipFile(tmp_path / "other.convatlas", "w") as archive:
        archive.writestr("readme.txt", "hello")
    for name, said in (
        ("", r"is a folder; a bundle is one file, which `convatlas export` makes of a run"),
        ("random.convatlas", "no bundle, or damaged: .*; export it again$"),
        ("weights.bin", "no bundle, or damaged: .*; `convatlas export` makes one$"),
        ("other.convatlas", r"no bundle: it lacks card.json or model.onnx"),
        ("none.convatlas", "there is no file"),
    ):
        with pytest.raises(UserError, match=said):
            open_classifier(tmp_path / name)


@pytest.mark.parametrize(
    ("to", "suffix"), [each for each in SUFFIXES.items() if each[0] != "bundle"]
)
def test_a_file_of_another_format_is_named_with_the_way_out(
    to: str, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"t{suffix}"
    with zipfile.ZipFile(path, "w") as archive:  # as torch's own are
        archive.writestr("card.json", "{}")
    out = r"give a bundle \(\.convatlas\): `convatlas export` without --to makes one$"
    with pytest.raises(UserError, match=f"is named like {to}, which is for other .*; {out}"):
        open_classifier(path)


def test_an_engine_that_there_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_bundle(tmp_path / "t.convatlas")
    with pytest.raises(UserError, match="no engine 'torch' runs a bundle; known: ") as raised:
        open_classifier(path, engine="torch")
    assert str(raised.value).endswith("known: onnxruntime, openvino")  # `auto` is not for it
    assert raised.value.typed.endswith("known: onnxruntime, openvino, auto")
    for engine in ENGINES:
        monkeypatch.setitem(sys.modules, engine, None)
        with pytest.raises(UserError, match=rf"{engine} is not installed; install it with: pip"):
            open_classifier(path, engine=engine)


def test_an_engine_that_fails_says_so(tmp_path: Path) -> None:
    made = open_classifier(tiny_bundle(tmp_path / "t.convatlas"))
    with pytest.raises(UserError, match="onnxruntime cannot run tiny on 2 pictures: "):
        made.run(np.zeros((2, 1, 1, 1), np.float32))


def test_a_bundle_that_any_archiver_packed_again_opens(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "t.convatlas", Tiny(wide=64))
    expected = open_classifier(path).probabilities(pictures(2))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    packed = shutil.make_archive(str(tmp_path / "again"), "zip", tmp_path / "out")
    again = Path(packed).rename(tmp_path / "again.convatlas")
    np.testing.assert_array_equal(open_classifier(again).probabilities(pictures(2)), expected)


def test_opening_imports_neither_torch_nor_what_is_slow(tmp_path: Path) -> None:
    path = tiny_bundle(tmp_path / "t.convatlas")
    code = (
        "import sys; from pathlib import Path\n"
        "from convatlas.runtime.opened import open_classifier\n"
        "open_classifier(Path(sys.argv[1]))\n"
        "slow = {'torch', 'onnx', 'openvino', 'pooch', 'requests', 'rich', 'jinja2', 'tempfile'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
