"""Files of torchvision and timm read into our networks, which then compute the same.

Every network of theirs is compared as a graph (layouts/test_layouts.py); here some of each kind
are compared as numbers, from the file on. The operations are the same, so outputs, gradients and
one step of training are equal bit for bit, but for GoogLeNet, which sums its heads otherwise.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from published import PUBLISHED, Published
from references import timm, torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from transplant import difference, randomise

from convatlas import models
from convatlas.checkpoints.layouts import LAYOUTS
from convatlas.checkpoints.load import load_weights
from convatlas.checkpoints.recognise import theirs as their_keys
from convatlas.checkpoints.record import record_of
from convatlas.checkpoints.save import save_weights
from convatlas.errors import UserError
from convatlas.models.family import Task

CLASSES = 10
# Their heads join the gradient in another order than ours, so sums differ in the last bit.
WITH_HEADS = ("googlenet", "inception_v3")
MARKS = {"always": [], "slowly": [pytest.mark.slow]}
COMPARED = [
    pytest.param(entry, id=entry.label, marks=MARKS[entry.numbers])
    for entry in PUBLISHED
    if entry.numbers in MARKS
]
STRIDE = "place of stride 2: convolution 3×3, not convolution 1×1 at stage2.block1.branch.conv1"


@pytest.mark.parametrize("entry", COMPARED)
def test_a_published_file_computes_the_same(entry: Published, tmp_path: Path) -> None:
    theirs = entry.build(num_classes=CLASSES)
    randomise(theirs)
    torch.save(theirs.state_dict(), tmp_path / "theirs.pth")
    ours = load_weights(entry.name, tmp_path / "theirs.pth", task=Task(num_classes=CLASSES))
    (tmp_path / "theirs.pth").unlink()
    for side in entry.sides:
        x = torch.randn(1, 3, side, side)
        with torch.inference_mode():
            assert torch.equal(ours(x), theirs.eval()(x)), side
    if entry.source == "torchvision" and entry.name.startswith(WITH_HEADS):
        assert step_apart(entry, ours.double(), theirs.double()) < 1e-12
    else:
        assert step_apart(entry, ours, theirs) == 0.0


def step_apart(entry: Published, ours: nn.Module, theirs: nn.Module) -> float:
    """How far apart all gradients and the whole state are after one step of training, relative."""
    kind = next(ours.parameters()).dtype
    x = torch.randn(2, 3, entry.trained, entry.trained, dtype=kind)
    for model in (ours, theirs):
        silence(model)
        loss = sum(F.cross_entropy(y, torch.tensor([3, 1])) for y in scores(model.train()(x)))
        loss.backward()
        torch.optim.SGD(model.parameters(), lr=0.01).step()
    state, mine = theirs.state_dict(), ours.state_dict()
    gradients = {key: p.grad for key, p in theirs.named_parameters()}
    names = names_in(entry, ours, state)
    pairs = [(p.grad, gradients[names[key]]) for key, p in ours.named_parameters()]
    pairs += [(value, state[names[key]]) for key, value in mine.items()]
    return max(difference(a.double(), b.double()) for a, b in pairs if b.any() or a.any())


def names_in(entry: Published, ours: nn.Module, state: dict[str, Tensor]) -> dict[str, str]:
    """Their key for each of ours."""
    shapes = {key: tuple(value.shape) for key, value in ours.state_dict().items()}
    for layout in LAYOUTS[models.blueprint(entry.name).family.name]:
        names = their_keys(layout, shapes)
        if names is not None and set(names.values()) <= set(state):
            return names
    raise AssertionError(entry.label)


def silence(model: nn.Module) -> None:
    """Nothing is dropped at random, so that training can be compared."""
    for module in model.modules():
        if isinstance(module, nn.Dropout) or type(module).__name__ == "StochasticDepth":
            module.p = 0.0
        for rate in ("rate", "drop_prob", "drop_rate"):  # of ours and timm's own modules
            if hasattr(module, rate):
                setattr(module, rate, 0.0)


def scores(made: object) -> Iterator[Tensor]:
    """The network's scores and those of its auxiliary heads, all of which are trained."""
    yield from made if isinstance(made, tuple) else (made,)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files: torchvision's ResNet-50 and ResNet-18, timm's MobileNet, for ten classes."""
    root = tmp_path_factory.mktemp("published")
    for name in ("resnet50", "resnet18"):
        model = torchvision.models.get_model(name, num_classes=CLASSES)
        torch.save(model.state_dict(), root / f"{name}.pth")
    mobile = timm.create_model("mobilenetv1_100", num_classes=CLASSES)
    torch.save(mobile.state_dict(), root / "mobilenet.pth")
    return root


TEN = Task(num_classes=CLASSES)


def test_another_place_of_the_stride_is_refused_with_the_reason(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_weights("resnet50", folder / "resnet50.pth", task=TEN)
    message = str(caught.value)
    assert "is of resnet50@torchvision, which has, unlike resnet50" in message
    assert STRIDE in message
    assert message.endswith("create resnet50@torchvision, or load it all the same with force=True")
    assert "\n" not in message


def test_another_activation_is_refused_with_the_reason(folder: Path) -> None:
    with pytest.raises(UserError, match="activation: ReLU6, not ReLU"):
        load_weights("mobilenet_v1", folder / "mobilenet.pth", task=TEN)
    with pytest.raises(UserError, match=r"is of mobilenet_v1@timm.*ReLU6"):
        load_weights("mobilenet_v1-192", folder / "mobilenet.pth", task=TEN)


def test_another_rounding_of_the_pool_is_refused_with_the_reason(tmp_path: Path) -> None:
    with torch.device("meta"):
        theirs = timm.create_model("seresnet50", num_classes=CLASSES)
    torch.save(theirs.to_empty(device="cpu").state_dict(), tmp_path / "se.pth")
    with pytest.raises(UserError, match="padding, rounding of max pooling 3×3: 1, down, not 0, up"):
        load_weights("se-resnet50", tmp_path / "se.pth", task=TEN)
    load_weights("se-resnet50@timm", tmp_path / "se.pth", task=TEN)


def test_a_network_that_is_the_same_in_the_library_loads(folder: Path) -> None:
    module = load_weights("resnet18", folder / "resnet18.pth", task=TEN)
    record = record_of(module)
    assert record is not None
    assert (record.name, record.layout, record.forced) == (
        *("resnet18", "torchvision and timm", ()),
    )
    assert not module.training


def test_force_is_noted_and_goes_on_being_noted(folder: Path, tmp_path: Path) -> None:
    module = load_weights("resnet50", folder / "resnet50.pth", task=TEN, force=True)
    record = record_of(module)
    assert record is not None
    assert STRIDE in record.forced[0]
    assert save_weights(module, tmp_path / "forced.safetensors").forced == record.forced
    again = record_of(load_weights("resnet50", tmp_path / "forced.safetensors"))
    assert again is not None
    assert again.forced == record.forced


def test_our_file_is_refused_by_another_profile(tmp_path: Path) -> None:
    save_weights(models.create("resnet50", TEN), tmp_path / "ours.safetensors")
    with pytest.raises(UserError, match=r"is of resnet50, which has, unlike resnet50@torchvision"):
        load_weights("resnet50@torchvision", tmp_path / "ours.safetensors")
    module = load_weights("resnet50", tmp_path / "ours.safetensors")  # with the classes of the file
    assert module(torch.zeros(1, 3, 32, 32)).shape == (1, CLASSES)


def test_our_keys_without_a_header_are_refused_where_two_networks_have_them(
    tmp_path: Path,
) -> None:
    for name in ("resnet50", "resnet18"):
        torch.save(models.create(name, TEN).state_dict(), tmp_path / f"{name}.pth")
    with pytest.raises(UserError, match="could be of resnet50@torchvision as well as of resnet50"):
        load_weights("resnet50", tmp_path / "resnet50.pth", task=TEN)
    load_weights("resnet50", tmp_path / "resnet50.pth", task=TEN, force=True)
    load_weights("resnet18", tmp_path / "resnet18.pth", task=TEN)


def test_heads_that_the_file_lacks_are_left_out(tmp_path: Path) -> None:
    theirs = torchvision.models.googlenet(num_classes=CLASSES, aux_logits=False, init_weights=False)
    torch.save(theirs.state_dict(), tmp_path / "bare.pth")
    module = load_weights("googlenet@torchvision", tmp_path / "bare.pth", task=TEN)
    assert isinstance(module.train()(torch.zeros(2, 3, 64, 64)), Tensor)
    record = record_of(module)
    assert record is not None
    assert record.departures[-1] == "no auxiliary heads"
    save_weights(module, tmp_path / "ours.safetensors")
    again = load_weights("googlenet@torchvision", tmp_path / "ours.safetensors")
    assert again.state_dict().keys() == module.state_dict().keys()


def test_dropout_is_no_property_of_weights(tmp_path: Path) -> None:
    save_weights(models.create("lenet-bn"), tmp_path / "lenet.safetensors")
    wide = models.create("wide-resnet-16-8")
    save_weights(wide, tmp_path / "wide.safetensors")
    load_weights("wide-resnet-16-8", tmp_path / "wide.safetensors", task=Task(dropout=0.3))


def test_older_forms_of_keys_are_read(tmp_path: Path) -> None:
    theirs = torchvision.models.densenet121(num_classes=CLASSES).state_dict()
    old = {
        key.replace("norm1", "norm.1")
        .replace("conv1", "conv.1")
        .replace("norm2", "norm.2")
        .replace("conv2", "conv.2"): value
        for key, value in theirs.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(old, tmp_path / "old.pth")
    ours = load_weights("densenet121", tmp_path / "old.pth", task=TEN).state_dict()
    for mine, (key, value) in zip(ours.values(), theirs.items(), strict=True):
        assert torch.equal(mine, value), key


def test_the_authors_files_are_read(tmp_path: Path) -> None:
    # Swin: a merging at the end of its stage, masks, and the weights inside "model"
    theirs = timm.create_model("swin_tiny_patch4_window7_224", num_classes=CLASSES)
    state = theirs.state_dict()
    old = {key.replace("head.fc", "head"): value for key, value in state.items()}
    for stage in (1, 2, 3):
        for key in [k for k in old if k.startswith(f"layers.{stage}.downsample")]:
            old[key.replace(f"layers.{stage}", f"layers.{stage - 1}")] = old.pop(key)
    old["layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    old["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49, dtype=torch.int64)
    torch.save({"model": old, "epoch": 299}, tmp_path / "swin.pth")
    ours = load_weights("swin_t", tmp_path / "swin.pth", task=TEN)
    x = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(ours(x), theirs.eval()(x))
    # ECA-Net: "eca" where timm has "se"; kernels 3, 5, 5, 7
    eca = {
        key.replace(".se.", ".eca."): value
        for key, value in timm.models.resnet.ResNet(
            timm.models.resnet.Bottleneck, [3, 4, 6, 3], block_args={"attn_layer": "eca"}
        )
        .state_dict()
        .items()
    }
    for block in (0, 1, 2):
        eca[f"layer1.{block}.eca.conv.weight"] = torch.ones(1, 1, 3)
    torch.save({"state_dict": {f"module.{k}": v for k, v in eca.items()}}, tmp_path / "eca.pth")
    load_weights("eca-resnet50@authors", tmp_path / "eca.pth")
    with pytest.raises(UserError, match=r"layer1\.0\.eca\.conv|layer1\.0\.se\.conv"):
        load_weights("eca-resnet50", tmp_path / "eca.pth")


@pytest.mark.slow
def test_pre_activation_files_are_refused_unless_forced(tmp_path: Path) -> None:
    v2, layers = timm.models.resnetv2, timm.layers
    theirs = v2.ResNetV2(
        [3, 24, 36, 3],
        num_classes=CLASSES,
        norm_layer=layers.BatchNormAct2d,
        conv_layer=layers.create_conv2d,
    )
    for block in theirs.modules():
        if isinstance(block, v2.PreActBottleneck):  # theirs has the stride on the 3x3
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    randomise(theirs)  # gains above zero, with which a norm may change places with a max pool
    torch.save(theirs.state_dict(), tmp_path / "v2.pth")
    with pytest.raises(UserError, match="stride on the 3×3, not on the first 1×1"):
        load_weights("preact-resnet200", tmp_path / "v2.pth", task=TEN)
    ours = load_weights("preact-resnet200", tmp_path / "v2.pth", task=TEN, force=True)
    x = torch.randn(1, 3, 33, 33)
    with torch.inference_mode():
        assert difference(ours(x), theirs.eval()(x)) <= 1e-5


def test_torchs_random_numbers_go_on_as_before(folder: Path, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    load_weights("resnet18", folder / "resnet18.pth", task=TEN)
    assert torch.equal(torch.get_rng_state(), state)


def test_weights_of_a_file_are_copied(tmp_path: Path) -> None:
    """Tensors that share memory in a file do not in the network."""
    state = torchvision.models.resnet18(num_classes=CLASSES).state_dict()
    state["layer1.0.bn1.weight"] = state["layer1.0.bn2.weight"]
    torch.save(state, tmp_path / "shared.pth")
    module = load_weights("resnet18", tmp_path / "shared.pth", task=TEN)
    places = [value.data_ptr() for value in module.state_dict().values()]
    assert len(set(places)) == len(places)


def test_not_a_number_is_allowed(folder: Path, tmp_path: Path) -> None:
    state = torch.load(folder / "resnet18.pth")
    state["fc.bias"][0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    module = load_weights("resnet18", tmp_path / "nan.pth", task=TEN)
    assert module.get_parameter("head.dense.bias")[0].isnan()


def test_the_model_file_of_a_run_is_read_with_the_task_on_its_card(tmp_path: Path) -> None:
    module = models.create("lenet-relu", Task(num_classes=3))
    network = {"name": "lenet-relu", "num_classes": 3, "in_channels": 1, "image_size": 28}
    header = {"card": json.dumps({"network": network | {"dropout": None}})}
    tensors = module.state_dict() | {"preprocess.mean": torch.zeros(1)}
    save_file(tensors, tmp_path / "model.safetensors", header)
    again = load_weights("lenet-relu", tmp_path / "model.safetensors").state_dict()
    for key, value in module.state_dict().items():
        assert torch.equal(again[key], value)
    with pytest.raises(UserError, match="unlike lenet-sigmoid, activation: ReLU, not sigmoid"):
        load_weights("lenet-sigmoid", tmp_path / "model.safetensors")
