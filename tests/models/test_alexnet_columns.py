import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from transplant import difference, randomise

from convatlas.errors import UserError
from convatlas.models.alexnet import FAMILY, AlexNet, AlexNetSpec
from convatlas.models.alexnet_columns import AlexNetColumns, merge, place, split

SPECS = {
    "alexnet": AlexNetSpec(image_size=95, num_classes=7, hidden=64),
    "alexnet-28": FAMILY.variants["alexnet-28"].spec,
}


def grouped(spec: AlexNetSpec) -> AlexNet:
    model = AlexNet(spec).eval()
    randomise(model)
    return model


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_equal_to_the_grouped_network(spec: AlexNetSpec) -> None:
    # Sums may be taken in another order: 1e-12 of the largest score in fp64.
    model = grouped(spec).double()
    x = torch.randn(3, spec.in_channels, spec.image_size, spec.image_size).double()
    with torch.no_grad():
        assert difference(place(model, ("cpu", "cpu"))(x), model(x)) < 1e-12


def test_gradients_are_those_of_the_grouped_network() -> None:
    spec = SPECS["alexnet-28"]
    model = grouped(spec).double()
    columns = place(model, ("cpu", "cpu"))
    x = torch.randn(2, 1, 28, 28).double()
    for network in (model, columns):
        network(x).square().sum().backward()
    expected = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
    found = merge({k: p.grad for k, p in columns.named_parameters() if p.grad is not None})
    assert found.keys() == expected.keys()
    for key, gradient in found.items():
        assert difference(gradient, expected[key]) < 1e-12, key


def test_a_column_holds_half_of_every_layer_and_the_output_stands_on_the_first_device() -> None:
    columns = AlexNetColumns(AlexNetSpec(), ("meta", "meta"))
    halved = (60_965_224 - 4_097_000) // 2
    for column in (columns.first, columns.second):
        assert sum(p.numel() for p in column.parameters()) == halved
    assert sum(p.numel() for p in columns.fc8.parameters()) == 4_097_000


def test_each_column_stands_on_its_device() -> None:
    columns = AlexNetColumns(SPECS["alexnet-28"], ("cpu", "meta"))
    assert not any(p.is_meta for p in columns.first.parameters())
    assert not any(p.is_meta for p in columns.fc8.parameters())
    assert all(p.is_meta for p in columns.second.parameters())


@pytest.mark.parametrize("devices", [("cpu", "meta"), ("meta", "cpu")])
def test_no_layer_meets_a_tensor_of_the_other_device(devices: tuple[str, str]) -> None:
    # Without memory a tensor can be "copied" from meta; layers still refuse to mix devices.
    with FakeTensorMode():
        scores = AlexNetColumns(AlexNetSpec(), devices)(torch.empty(2, 3, 224, 224))
    assert scores.shape == (2, 1000)
    assert scores.device.type == devices[0]


def test_split_and_merge_are_inverse() -> None:
    model = grouped(SPECS["alexnet"])
    back = merge(split(model.state_dict()))
    assert back.keys() == model.state_dict().keys()
    for key, value in model.state_dict().items():
        assert torch.equal(back[key], value), key


def test_the_placed_copy_keeps_mode_and_leaves_the_original() -> None:
    model = AlexNet(SPECS["alexnet-28"]).train()
    columns = place(model, ("cpu", "cpu"))
    assert columns.training
    with torch.no_grad():
        columns.fc8.bias.fill_(5)
    assert (model.dense.fc8.bias == 0).all()


def test_a_single_column_is_refused() -> None:
    spec = FAMILY.variants["alexnet@torchvision"].spec
    with pytest.raises(UserError, match="one column, which cannot be placed on two devices"):
        AlexNetColumns(spec, ("meta", "meta"))
