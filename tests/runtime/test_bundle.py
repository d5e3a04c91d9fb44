import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from convatlas.data.augment import Augment
from convatlas.data.preprocess import Preprocess, fit
from convatlas.errors import UserError
from convatlas.runtime.bundle import (
    Bundle,
    BundleCard,
    Preparation,
    copy_model,
    figures,
    prepare,
    read_bundle,
    read_card,
    write_bundle,
)


def card(preprocess: Preprocess, crop: int | None = None, *, fused: bool = False) -> BundleCard:
    return BundleCard(
        network="a-network",
        input=(None, 2, 12, 12),
        opset=20,
        fused=fused,
        labels=("cat", "dog"),
        preparation=Preparation(
            side=12,
            crop=crop,
            pad=preprocess.pad,
            mean=figures(preprocess.mean.numpy()),
            deviation=figures(preprocess.deviation.numpy()),
        ),
    )


def pictures() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (5, 2, 12, 12), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("kind", ["unit", "ink", "mean-image", "channel-mean", "channel-standard"])
@pytest.mark.parametrize(("crop", "pad"), [(None, 0), (7, 0), (8, 2), (None, 3)])
def test_prepares_as_training_did(kind: str, crop: int | None, pad: int) -> None:
    seen = Augment(crop=crop).centre(pictures())
    preprocess = fit(kind, seen, pad)  # type: ignore[arg-type]
    ours = prepare(card(preprocess, crop), pictures().numpy())
    assert ours.dtype == np.float32
    # one multiply-add, rounded differently
    np.testing.assert_allclose(ours, preprocess(seen).numpy(), rtol=0, atol=2e-6)


def test_a_fused_model_gets_the_cropped_pixels() -> None:
    preprocess = fit("channel-standard", pictures())
    ours = prepare(card(preprocess, 7, fused=True), pictures().numpy())
    np.testing.assert_array_equal(ours, Augment(crop=7).centre(pictures()).numpy())


def test_reads_what_was_written(tmp_path: Path) -> None:
    bundle = Bundle(card(fit("mean-image", pictures())), b"any bytes")
    write_bundle(tmp_path / "b.convatlas", bundle)
    assert read_bundle(tmp_path / "b.convatlas") == bundle
    told, model = read_card(tmp_path / "b.convatlas")
    assert told == bundle.card
    assert (model.file_size, model.CRC) == (9, zlib.crc32(b"any bytes"))
    copy_model(tmp_path / "b.convatlas", tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_bytes() == b"any bytes"
    with zipfile.ZipFile(tmp_path / "b.convatlas") as archive:  # any ZIP reader sees the members
        assert sorted(archive.namelist()) == ["card.json", "model.onnx"]


def test_what_is_no_bundle_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "b.convatlas"
    with pytest.raises(UserError, match="there is no file"):
        read_bundle(path)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match="no bundle, or damaged"):
        read_bundle(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("card.json", "{}")
    with pytest.raises(UserError, match=r"card in .* is damaged"):
        read_bundle(path)
    write_bundle(path, Bundle(card(fit("unit", pictures())), b"x" * 1000))
    path.write_bytes(path.read_bytes().replace(b"x" * 1000, b"x" * 999 + b"y"))
    with pytest.raises(UserError, match="damaged"):
        read_bundle(path)
    with pytest.raises(UserError, match="damaged"):
        copy_model(path, tmp_path / "m.onnx")


def test_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "b.convatlas"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("card.json", '{"format": 7}')
        archive.writestr("model.onnx", b"")
    with pytest.raises(UserError, match="bundle format 7, this ConvAtlas reads 1"):
        read_bundle(path)


def test_reading_a_bundle_imports_no_torch(tmp_path: Path) -> None:
    path = tmp_path / "b.convatlas"
    write_bundle(path, Bundle(card(fit("unit", pictures())), b"x"))
    code = (
        "import sys, numpy; from pathlib import Path; from convatlas.runtime import bundle as b\n"
        "got = b.read_bundle(Path(sys.argv[1]))\n"
        "b.prepare(got.card, numpy.zeros((1, 2, 12, 12), numpy.uint8))\n"
        "assert not {'torch', 'onnx', 'onnxruntime', 'openvino'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
