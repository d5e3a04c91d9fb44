import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tiny_bundle import SIDE, Tiny, tiny_bundle

from convatlas.errors import UserError
from convatlas.processor import processor
from convatlas.runtime import ready
from convatlas.runtime.opened import open_classifier
from convatlas.runtime.ready import bound, find_ready, keep_ready

LARGE = Tiny(wide=60_000)  # 1.4 MB of weights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(tmp_path / "t.convatlas", LARGE)


def probabilities(path: Path) -> np.ndarray:
    shown = np.random.default_rng(1).integers(0, 256, (2, 3, SIDE, SIDE), np.uint8)
    return open_classifier(path, threads=1).probabilities(shown)


def entries(cache: Path) -> list[Path]:
    return sorted((cache / "engines").iterdir()) if (cache / "engines").exists() else []


def test_a_kept_bundle_gives_the_same_to_the_last_bit(bundle: Path, cache: Path) -> None:
    expected = probabilities(bundle)
    assert find_ready(bundle) is None
    assert entries(cache) == []  # opening writes nothing
    assert keep_ready(bundle)
    [folder] = entries(cache)
    assert sorted(os.listdir(folder)) == ["model.onnx", "weights.bin", "whole.json"]
    found = find_ready(bundle)
    assert found is not None
    assert found.folder == folder
    np.testing.assert_array_equal(probabilities(bundle), expected)


def test_it_is_the_kept_one_that_is_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_ready(bundle)

    def refuse(path: Path) -> None:
        raise AssertionError(path)

    monkeypatch.setattr("convatlas.runtime.opened.read_bundle", refuse)
    probabilities(bundle)


def test_keeping_again_writes_nothing(bundle: Path, cache: Path) -> None:
    keep_ready(bundle)
    [folder] = entries(cache)
    before = (folder / "weights.bin").stat()
    assert keep_ready(bundle)
    assert (folder / "weights.bin").stat().st_ino == before.st_ino


def cut(folder: Path) -> None:
    (folder / "weights.bin").write_bytes((folder / "weights.bin").read_bytes()[:-1])


def change_graph(folder: Path) -> None:
    blob = bytearray((folder / "model.onnx").read_bytes())
    blob[len(blob) // 2] ^= 1
    (folder / "model.onnx").write_bytes(blob)


def change_weights(folder: Path) -> None:
    with (folder / "weights.bin").open("rb+") as file:
        file.seek(1000)
        file.write(b"\0" * 100)


def lose_weights(folder: Path) -> None:
    (folder / "weights.bin").unlink()


def lose_graph(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def spoil_whole(folder: Path) -> None:
    (folder / "whole.json").write_text("{")


def no_whole(folder: Path) -> None:
    (folder / "whole.json").unlink()


def agree_on_nonsense(folder: Path) -> None:
    """The graph is damaged and its sum fits, so that only the engine notices."""
    (folder / "model.onnx").write_bytes(b"nonsense")
    (folder / "whole.json").write_text(json.dumps(ready._seen(folder)))


@pytest.mark.parametrize(
    "damage",
    [
        *(cut, change_graph, change_weights, lose_weights, lose_graph),
        *(spoil_whole, no_whole, agree_on_nonsense),
    ],
)
def test_what_is_damaged_is_not_used_and_made_again(
    damage: Callable[[Path], None], bundle: Path, cache: Path
) -> None:
    expected = probabilities(bundle)
    keep_ready(bundle)
    [folder] = entries(cache)
    damage(folder)
    np.testing.assert_array_equal(probabilities(bundle), expected)
    assert keep_ready(bundle)
    assert find_ready(bundle)
    assert entries(cache) == [folder]
    np.testing.assert_array_equal(probabilities(bundle), expected)


def test_another_bundle_in_the_same_place_is_another(bundle: Path, cache: Path) -> None:
    keep_ready(bundle)
    first = probabilities(bundle)
    tiny_bundle(bundle, Tiny(wide=60_000, seed=1))
    assert find_ready(bundle) is None
    assert not np.array_equal(probabilities(bundle), first)
    keep_ready(bundle)
    assert len(entries(cache)) == 2


def test_another_engine_or_processor_is_another(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ready(bundle)
    monkeypatch.setattr(ready, "_machine", lambda: "another")
    assert find_ready(bundle) is None


def test_this_processor_is_told_from_others() -> None:
    told = ready._machine()
    assert told == ready._machine()
    import onnxruntime

    assert onnxruntime.__version__ in told
    assert processor().name in told


def test_small_bundles_are_not_kept(tmp_path: Path, cache: Path) -> None:
    small = tiny_bundle(tmp_path / "s.convatlas", Tiny(wide=100))
    assert not keep_ready(small)
    assert entries(cache) == []


def test_a_cache_that_cannot_be_written_is_no_error(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = probabilities(bundle)
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "cache", Path("/proc/nowhere")):
        monkeypatch.setenv("CONVATLAS_CACHE", str(place))
        assert not keep_ready(bundle)
        np.testing.assert_array_equal(probabilities(bundle), expected)


def test_a_failure_while_writing_leaves_nothing(
    bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(model: Path, path: Path, weights: str) -> None:
        path.write_bytes(b"a part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ready, "optimise", full)
    assert not keep_ready(bundle)
    assert entries(cache) == []

    def stopped(model: Path, path: Path, weights: str) -> None:
        path.write_bytes(b"a part")
        raise KeyboardInterrupt

    monkeypatch.setattr(ready, "optimise", stopped)
    with pytest.raises(KeyboardInterrupt):
        keep_ready(bundle)
    assert entries(cache) == []


def test_what_the_engine_cannot_write_is_tried_again_after_a_day(
    bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, asked, real = probabilities(bundle), [], ready.optimise

    def unable(model: Path, path: Path, weights: str) -> None:
        asked.append(path)
        raise RuntimeError("no such node")

    monkeypatch.setattr(ready, "optimise", unable)
    assert not keep_ready(bundle)
    [folder] = entries(cache)
    assert os.listdir(folder) == ["failed"]
    np.testing.assert_array_equal(probabilities(bundle), expected)
    assert not keep_ready(bundle)
    assert len(asked) == 1
    os.utime(folder / "failed", (time.time() - ready.STALE - 1,) * 2)
    monkeypatch.setattr(ready, "optimise", real)
    assert keep_ready(bundle)
    assert entries(cache) == [folder]
    np.testing.assert_array_equal(probabilities(bundle), expected)


def test_one_that_was_quicker_is_left_alone(
    bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While this call optimises, another one keeps the same bundle, and has it open."""
    real, seen = ready.optimise, []

    def overtaken(model: Path, path: Path, weights: str) -> None:
        real(model, path, weights)
        monkeypatch.setattr(ready, "optimise", real)
        assert keep_ready(bundle)
        found = find_ready(bundle)
        assert found
        seen.append(found.model.stat().st_ino)

    monkeypatch.setattr(ready, "optimise", overtaken)
    assert keep_ready(bundle)
    found = find_ready(bundle)
    assert found
    assert [found.model.stat().st_ino] == seen
    assert entries(cache) == [found.folder]


def test_threads_do_not_remove_what_others_are_writing(bundle: Path, cache: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(keep_ready, [bundle] * 8)) == [True] * 8
    assert find_ready(bundle)
    assert len(entries(cache)) == 1


def test_a_kept_folder_has_the_rights_of_any_other(bundle: Path, cache: Path) -> None:
    keep_ready(bundle)
    [folder] = entries(cache)
    assert folder.stat().st_mode == folder.parent.stat().st_mode


def entry(folder: Path, name: str, size: int, age: float) -> None:
    (folder / name).mkdir(parents=True)
    for file in ("weights.bin", "whole.json"):
        (folder / name / file).write_bytes(b"x" * (size if file == "weights.bin" else 0))
        os.utime(folder / name / file, (time.time() - age,) * 2)
    os.utime(folder / name, (time.time() - age,) * 2)


def test_what_was_used_longest_ago_goes(tmp_path: Path) -> None:
    for number in range(5):
        entry(tmp_path, f"e{number}", 100_000, age=1000 * number)
    entry(tmp_path, ".x.1.part", 10, age=90_000)
    entry(tmp_path, ".y.2.part", 10, age=10)
    (tmp_path / "stray").touch()
    os.utime(tmp_path / "e4" / "whole.json")  # just used
    bound(tmp_path, 320_000)
    assert sorted(os.listdir(tmp_path)) == [".y.2.part", "e0", "e1", "e4", "stray"]


def test_finding_is_use(bundle: Path, cache: Path) -> None:
    keep_ready(bundle)
    [folder] = entries(cache)
    os.utime(folder / "whole.json", (1, 1))
    find_ready(bundle)
    assert (folder / "whole.json").stat().st_mtime > 1


def test_no_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        find_ready(tmp_path / "none.convatlas")


def test_many_processes_may_keep_the_same(bundle: Path, cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from convatlas.runtime.ready import find_ready, keep_ready\n"
        "keep_ready(Path(sys.argv[1])); assert find_ready(Path(sys.argv[1]))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(bundle)]) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(entries(cache)) == 1
