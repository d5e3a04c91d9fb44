"""Weights written with our keys or a library's, and read back, here and there."""

import json
from pathlib import Path

import pytest
import torch
from published import PUBLISHED, Published
from references import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transplant import randomise

from convatlas import models
from convatlas.checkpoints.load import load_weights
from convatlas.checkpoints.meaning import fingerprint, of_blueprint
from convatlas.checkpoints.record import record_of
from convatlas.checkpoints.save import save_weights
from convatlas.errors import UserError
from convatlas.models.family import Task

TEN = Task(num_classes=10)
NAMES = (
    *("torchvision-resnet18", "torchvision-googlenet@torchvision", "torchvision-swin_t"),
    *("timm-mobilenet_v1@timm", "timm-eca-resnet18"),
)
SLOW = (
    *("timm-swin_t", "timm-inception_v4@timm", "timm-se-resnext50"),
    *("timm-inception_v3@torchvision", "timm-se-resnet50@timm", "torchvision-densenet121"),
    "timm-se-resnet50",
)
KEPT = [
    pytest.param(entry, id=entry.label, marks=[pytest.mark.slow] if entry.label in SLOW else [])
    for entry in PUBLISHED
    if entry.label in NAMES + SLOW
]


def equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> bool:
    """Same keys, same kinds of numbers, same bytes."""
    return found.keys() == expected.keys() and all(
        found[key].dtype == value.dtype
        and found[key].shape == value.shape
        and found[key].contiguous().numpy().tobytes() == value.contiguous().numpy().tobytes()
        for key, value in expected.items()
    )


@pytest.mark.parametrize("entry", KEPT)
def test_a_librarys_file_comes_back_as_it_was(entry: Published, tmp_path: Path) -> None:
    theirs = entry.build(num_classes=10)
    randomise(theirs)
    state = theirs.state_dict()
    torch.save(state, tmp_path / "theirs.pth")
    save_file(state, tmp_path / "theirs.safetensors")
    module = load_weights(entry.name, tmp_path / "theirs.pth", task=TEN)
    save_weights(module, tmp_path / "ours.pth", entry.source)
    save_weights(module, tmp_path / "ours.safetensors", entry.source)
    back = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert list(back) == list(state)
    assert equal(back, state)
    # in a safetensors file the format itself sets the order: by kind of number, then by name
    assert equal(load_file(tmp_path / "ours.safetensors"), state)
    orders = []
    for name in ("theirs", "ours"):
        with safe_open(tmp_path / f"{name}.safetensors", framework="pt") as file:
            orders.append(file.offset_keys())
    assert orders[0] == orders[1]
    entry.build(num_classes=10).load_state_dict(back)
    again = load_weights(entry.name, tmp_path / "ours.safetensors").state_dict()
    assert equal(again, module.state_dict())


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "nin-cifar", "vgg15-cifar"])
def test_our_file_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    module = models.create(name)
    record = save_weights(module, tmp_path / "ours.safetensors")
    assert record.name == name
    assert record.fingerprint == fingerprint(of_blueprint(models.blueprint(name)))
    again = load_weights(name, tmp_path / "ours.safetensors")
    assert equal(again.state_dict(), module.state_dict())
    spec = models.blueprint(name).spec
    x = torch.rand(2, spec.in_channels, spec.image_size, spec.image_size)
    with torch.inference_mode():
        assert torch.equal(again(x), module.eval()(x))


def test_the_header_says_of_which_network_the_file_is(tmp_path: Path) -> None:
    module = models.create("alexnet-28", Task(num_classes=3))
    save_weights(module, tmp_path / "ours.safetensors")
    with safe_open(tmp_path / "ours.safetensors", framework="pt") as file:
        said = json.loads(file.metadata()["convatlas network"])
    assert said["name"] == "alexnet-28"
    assert said["profile"] == "paper"
    assert said["num_classes"] == 3
    assert "num classes 3, published as 10" in said["departures"]
    assert set(said["versions"]) == {"convatlas", "torch"}
    assert len(said["fingerprint"]) == 64


def test_keys_that_would_mean_another_network_are_not_written(tmp_path: Path) -> None:
    module, path = models.create("resnet50", TEN), tmp_path / "wrong.safetensors"
    with pytest.raises(
        UserError, match="means resnet50@torchvision, which has, unlike this, place"
    ):
        save_weights(module, path, "torchvision")
    assert not path.exists()
    assert (
        "means resnet50@torchvision"
        in save_weights(module, path, "torchvision", force=True).forced[0]
    )
    found = record_of(load_weights("resnet50", path))
    assert found is not None
    assert found.forced
    with pytest.raises(UserError, match="is of resnet50, which has, unlike resnet50@torchvision"):
        load_weights("resnet50@torchvision", path)


def test_a_changed_module_is_not_written_under_its_old_name(tmp_path: Path) -> None:
    module, path = models.create("resnet18", TEN), tmp_path / "changed.safetensors"
    module.get_submodule("stage1.block1").relu = nn.GELU()
    with pytest.raises(UserError, match=r"unlike resnet18, activation: GELU.*, not ReLU"):
        save_weights(module, path, name="resnet18", task=TEN)
    assert not path.exists()
    record = save_weights(module, path, name="resnet18", task=TEN, force=True)
    assert "GELU" in record.forced[0]
    with pytest.raises(UserError, match=r"unlike today's resnet18, activation: GELU.*, not ReLU"):
        load_weights("resnet18", path)


def test_what_trains_a_module_does_not_keep_it_from_being_written(tmp_path: Path) -> None:
    module = models.create("vgg15-cifar")
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.1
    for parameter in list(module.parameters())[:4]:
        parameter.requires_grad_(False)
    assert not save_weights(module, tmp_path / "ours.safetensors").forced


def test_files_of_other_kinds_and_layouts_are_refused(tmp_path: Path) -> None:
    module = models.create("resnet18", TEN)
    with pytest.raises(UserError, match=r"convatlas go to \.safetensors, not"):
        save_weights(module, tmp_path / "ours.pth")
    with pytest.raises(UserError, match="unknown layout 'keras'; there are convatlas, torchvision"):
        save_weights(module, tmp_path / "ours.safetensors", "keras")
    with pytest.raises(UserError, match="torchvision has no keys for lenet5; save it as convatlas"):
        save_weights(models.create("lenet5"), tmp_path / "lenet.pth", "torchvision")
    with pytest.raises(UserError, match="timm has no keys for resnet20-cifar"):
        save_weights(models.create("resnet20-cifar"), tmp_path / "cifar.pth", "timm")
    assert not list(tmp_path.iterdir())


def test_only_whole_weights_are_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it is on the meta device"):
        save_weights(models.create("lenet5", init=False), tmp_path / "ours.safetensors")
    with pytest.raises(UserError, match="is float16, weights are written as float32"):
        save_weights(models.create("lenet-bn").half(), tmp_path / "ours.safetensors")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot write"):
        save_weights(models.create("lenet5"), tmp_path / "none" / "ours.safetensors")


def test_older_files_get_their_counters_when_they_are_written(tmp_path: Path) -> None:
    state = torchvision.models.resnet18(num_classes=10).state_dict()
    old = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    save_weights(
        load_weights("resnet18", tmp_path / "old.pth", task=TEN),
        tmp_path / "new.pth",
        "torchvision",
    )
    assert equal(torch.load(tmp_path / "new.pth"), state)


def test_a_dense_layer_that_is_a_convolution_there_is_written_as_one(tmp_path: Path) -> None:
    module, path = models.create("preact-resnet164-cifar"), tmp_path / "v2.pth"
    with pytest.raises(UserError, match="stride on the 3×3"):
        save_weights(module, path, "timm")
    save_weights(module, path, "timm", force=True)
    assert torch.load(path)["head.fc.weight"].shape == (10, 256, 1, 1)
    again = load_weights("preact-resnet164-cifar", path, force=True)
    assert equal(again.state_dict(), module.state_dict())
