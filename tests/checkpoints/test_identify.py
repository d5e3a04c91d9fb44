import pytest
from torch import nn

from convatlas import models
from convatlas.checkpoints.identify import identified
from convatlas.errors import UserError
from convatlas.models.family import Task


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("resnet50", Task()),
        ("resnet50@torchvision", Task(num_classes=5)),
        ("lenet-relu", Task(num_classes=3, in_channels=3)),
        ("mobilenet_v1@timm", Task(in_channels=1)),
        ("googlenet", Task(num_classes=20)),
        ("se-resnet50@timm", Task()),
    ],
)
def test_a_module_is_told_by_tensors_and_operations(name: str, task: Task) -> None:
    found = identified(models.create(name, task, init=False), None, None)
    assert found == models.blueprint(name, task)


def test_a_name_is_held_against_the_tensors() -> None:
    module = models.create("resnet18", Task(num_classes=4), init=False)
    assert identified(module, "resnet18", None).spec.num_classes == 4
    with pytest.raises(UserError, match="does not have the tensors of resnet34"):
        identified(module, "resnet34", None)


def test_what_is_none_of_ours_is_said_to_be_none() -> None:
    with pytest.raises(UserError, match="none has tensors of these names and shapes; give its"):
        identified(nn.Linear(3, 4), None, None)
    changed = models.create("resnet18", init=False)
    changed.get_submodule("stage1.block1").relu = nn.Tanh()
    with pytest.raises(UserError, match="resnet18 has, unlike it, activation: ReLU, not"):
        identified(changed, None, None)
