"""Files that do not fit: what is said, and that it is said on one line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from references import timm, torchvision
from torch import Tensor

from convatlas import models
from convatlas.checkpoints.load import load_weights
from convatlas.checkpoints.read import WeightFile
from convatlas.checkpoints.recognise import OURS, fitted
from convatlas.errors import UserError
from convatlas.models.family import Task

State = dict[str, Tensor]


def bare(build: Callable[..., torch.nn.Module], **more: object) -> State:
    """Keys and shapes alone."""
    with torch.device("meta"):
        return build(**more).state_dict()


def refused(name: str, state: State, task: Task = Task()) -> str:  # noqa: B008 - a frozen value
    with pytest.raises(UserError) as caught:
        fitted(WeightFile(Path("file.pth"), state, {}), models.blueprint(name, task))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("file.pth")
    return message


def test_another_networks_file_is_named() -> None:
    said = refused("vgg16", bare(torchvision.models.resnet50))
    assert "has no place for conv1.weight (64×3×7×7) and 319 more" in said
    assert "seems to be of resnet50@torchvision in the layout of torchvision and timm" in said
    said = refused("resnet50", bare(torchvision.models.resnet101))
    assert "has no place for layer3.6.conv1.weight (256×1024×1×1)" in said
    assert "resnet101@torchvision" in said
    said = refused("densenet121", bare(models.blueprint("densenet161").layout))
    assert "stem.conv.weight is 96×3×7×7, expected 64×3×7×7" in said or "has no place" in said
    assert said.endswith("seems to be of densenet161; create that one")


def test_another_profiles_file_is_named_with_the_differences() -> None:
    said = refused("googlenet", bare(torchvision.models.googlenet, init_weights=False))
    assert "seems to be of googlenet@torchvision in the layout of torchvision, which has" in said
    assert "unlike googlenet" in said
    assert "bias of convolution 7×7: no, not yes" in said
    said = refused("inception_v3", bare(torchvision.models.inception_v3, init_weights=False))
    assert "which has, unlike inception_v3, kernel of convolution: 1×1, not 3×3" in said


def test_a_file_of_no_network_here_is_said_to_be_none() -> None:
    said = refused("resnet18", bare(torchvision.models.shufflenet_v2_x0_5))
    assert said.endswith("no network here has keys and shapes like these")


def test_a_file_of_another_size_than_all_networks_here_is_said_to_be_none() -> None:
    own = bare(lambda: torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.Linear(8, 5)))
    assert refused("resnet18", own).endswith("no network here has keys and shapes like these")


def test_classes_and_channels_that_fit_are_said() -> None:
    theirs = bare(torchvision.models.resnet18, num_classes=7)
    said = refused("resnet18", theirs)
    assert "fc.weight is 7×512, expected 1000×512; it fits with task=Task(num_classes=7)" in said
    one = models.blueprint("resnet18", Task(in_channels=1, num_classes=7)).layout().state_dict()
    assert refused("resnet18", one).endswith("with task=Task(num_classes=7, in_channels=1)")
    heads = bare(torchvision.models.googlenet, num_classes=3, init_weights=False)
    assert refused("googlenet@torchvision", heads).endswith("with task=Task(num_classes=3)")
    without = bare(
        torchvision.models.googlenet, num_classes=3, init_weights=False, aux_logits=False
    )
    assert refused("googlenet@torchvision", without).endswith("with task=Task(num_classes=3)")


def test_one_missing_one_unexpected_and_one_odd_tensor() -> None:
    state = bare(torchvision.models.resnet18)
    missing = {k: v for k, v in state.items() if k != "layer2.0.bn2.running_var"}
    assert "it has no layer2.0.bn2.running_var (128); the rest is of resnet18" in refused(
        "resnet18", missing
    )
    more = state | {"ema.decay": torch.zeros(())}
    said = refused("resnet18", more)
    assert "resnet18 has no place for ema.decay (a number); the rest is of resnet18" in said
    odd = state | {"layer1.0.bn1.bias": torch.zeros(65)}
    assert "layer1.0.bn1.bias is 65, expected 64; the rest is" in refused("resnet18", odd)


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (torch.zeros(64, dtype=torch.float16), "bn1.bias is float16, resnet18 needs float32"),
        (torch.zeros(64, dtype=torch.float64), "bn1.bias is float64, resnet18 needs float32"),
        (torch.zeros(64, dtype=torch.int64), "bn1.bias is int64, resnet18 needs float32"),
        (torch.zeros(64, dtype=torch.complex64), "bn1.bias is complex64, resnet18 needs float32"),
        (torch.zeros(64).to_sparse(), "bn1.bias is float32, sparse, resnet18 needs float32"),
    ],
)
def test_other_kinds_of_numbers(odd: Tensor, said: str) -> None:
    state = bare(torchvision.models.resnet18) | {"bn1.bias": odd}
    assert said in refused("resnet18", state)


def test_a_counter_may_be_any_whole_number() -> None:
    state = bare(torchvision.models.resnet18)
    state["bn1.num_batches_tracked"] = torch.tensor(3, dtype=torch.int32)
    fit = fitted(WeightFile(Path("file.pth"), state, {}), models.blueprint("resnet18"))
    assert fit.layout is not OURS
    state["bn1.num_batches_tracked"] = torch.tensor(3.0)
    assert "is float32, resnet18 needs int64" in refused("resnet18", state)


def test_windows_of_another_size_do_not_fit() -> None:
    with torch.device("meta"):
        theirs = timm.create_model("swin_base_patch4_window12_384").state_dict()
    assert "relative_position_bias_table is 529×4, expected 169×4" in refused("swin_b", theirs)


def test_every_network_is_recognised_by_its_own_keys() -> None:
    for name in ("lenet5", "swin_t", "inception_resnet_v1", "unet", "zfnet", "nin-imagenet"):
        blueprint = models.blueprint(name)
        state = blueprint.layout().state_dict()
        assert fitted(WeightFile(Path("f"), state, {}), blueprint).layout is OURS


def test_nothing_is_loaded_from_a_file_that_does_not_fit(tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet18(num_classes=3).state_dict(), tmp_path / "three.pth")
    drawn = torch.get_rng_state()
    with pytest.raises(UserError):
        load_weights("resnet18", tmp_path / "three.pth")
    assert torch.equal(torch.get_rng_state(), drawn)


def test_a_file_that_lacks_a_tensor_is_not_said_to_be_of_the_same_network(tmp_path: Path) -> None:
    state = torchvision.models.resnet18(num_classes=10).state_dict()
    del state["layer1.0.conv1.weight"]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(UserError, match=r"it has no layer1\.0\.conv1.* the file is not whole"):
        load_weights("resnet18", tmp_path / "part.pth", task=Task(num_classes=10))
