from convatlas import models
from convatlas.checkpoints.adapt import fitting, shapes_of, task_of, with_heads
from convatlas.models.family import Task


def test_classes_and_channels_are_found_from_shapes() -> None:
    for wanted in (
        Task(),
        Task(num_classes=7),
        Task(in_channels=1),
        Task(num_classes=2, in_channels=4),
    ):
        shapes = shapes_of(models.blueprint("googlenet@torchvision", wanted))
        found = fitting("googlenet@torchvision", Task(), shapes)
        assert found is not None
        assert shapes_of(models.blueprint("googlenet@torchvision", found)) == shapes


def test_shapes_of_another_network_fit_no_task() -> None:
    assert fitting("resnet18", Task(), shapes_of(models.blueprint("resnet34"))) is None
    assert fitting("densenet121", Task(), shapes_of(models.blueprint("densenet161"))) is None
    odd = shapes_of(models.blueprint("resnet18")) | {"stage1.block1.branch.norm1.weight": (63,)}
    assert fitting("resnet18", Task(), odd) is None


def test_heads_are_taken_off_and_put_on() -> None:
    published = models.blueprint("inception_v3")
    bare = with_heads(published, wanted=False)
    assert not any(key.startswith("auxiliary") for key in shapes_of(bare))
    assert bare.departures == (*published.departures, "no auxiliary heads")
    assert with_heads(bare, wanted=True) == published
    assert with_heads(published, wanted=True) is published
    plain = models.blueprint("resnet18")
    assert with_heads(plain, wanted=False) is plain


def test_the_task_of_a_network_makes_it_again() -> None:
    blueprint = models.blueprint("vgg11", Task(num_classes=3, in_channels=1, image_size=64))
    assert models.blueprint("vgg11", task_of(blueprint)) == blueprint
