"""AlexNet's two columns on two devices (Krizhevsky et al. 2012, section 3.5 and Figure 2).

    layers           on each device             what comes over from the other
    conv1 to pool2   48 and 128 maps            nothing; both are given the picture
    conv3            192 maps of 256            pool2 of the other column
    conv4 to pool5   192 and 128 maps           nothing
    fc6              2048 units of 9216 values  pool5 of the other column
    fc7              2048 units of 4096         fc6 of the other column
    fc8              on the first device        fc7 of the second column

Equal to the grouped network on one device, up to the rounding of sums. The figure draws the 1000
output units once without saying where they are; here they are on the first device.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.alexnet import AlexNet, AlexNetSpec, ResponseNorm

Devices = tuple[torch.device | str, torch.device | str]


class Column(nn.Module):
    """Half of the maps of every layer, on one device; the two dense layers are halved as well."""

    def __init__(self, spec: AlexNetSpec) -> None:
        super().__init__()
        half = tuple(maps // 2 for maps in spec.maps)
        kernel, stride, padding = spec.first
        self.apart1 = nn.Sequential(
            *(nn.Conv2d(spec.in_channels, half[0], kernel, stride, padding), nn.ReLU()),
            *(ResponseNorm(1), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(half[0], half[1], 5, padding=2), nn.ReLU()),
            *(ResponseNorm(1), nn.MaxPool2d(3, 2)),
        )
        self.apart2 = nn.Sequential(
            *(nn.Conv2d(spec.maps[1], half[2], 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(half[2], half[3], 3, padding=1), nn.ReLU()),
            *(nn.Conv2d(half[3], half[4], 3, padding=1), nn.ReLU()),
            *(nn.MaxPool2d(3, 2), nn.Flatten()),
        )
        final = spec.maps[4] * spec.final_size**2
        self.fc6, self.relu6 = nn.Linear(final, spec.hidden // 2), nn.ReLU()
        self.fc7, self.relu7 = nn.Linear(spec.hidden, spec.hidden // 2), nn.ReLU()
        self.drop6, self.drop7 = nn.Dropout(spec.dropout), nn.Dropout(spec.dropout)


class AlexNetColumns(nn.Module):
    """Both columns, each on its device, and the output units on the first."""

    def __init__(self, spec: AlexNetSpec, devices: Devices) -> None:
        super().__init__()
        if spec.columns != 2:
            raise UserError(
                "this AlexNet has one column, which cannot be placed on two devices; "
                "take alexnet or alexnet-28"
            )
        self.spec, self.devices = spec, devices
        with torch.device(devices[0]):
            self.first, self.fc8 = Column(spec), nn.Linear(spec.hidden, spec.num_classes)
        with torch.device(devices[1]):
            self.second = Column(spec)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) on any device to scores, (N, num_classes), on the first device."""
        one, two = self.first, self.second
        a, b = (column.apart1(x.to(d)) for column, d in zip((one, two), self.devices, strict=True))
        both_a, both_b = self.exchange(a, b)
        both_a, both_b = self.exchange(one.apart2(both_a), two.apart2(both_b))
        a, b = one.drop6(one.relu6(one.fc6(both_a))), two.drop6(two.relu6(two.fc6(both_b)))
        both_a, both_b = self.exchange(a, b)
        a, b = one.drop7(one.relu7(one.fc7(both_a))), two.drop7(two.relu7(two.fc7(both_b)))
        return self.fc8(torch.cat((a, b.to(self.devices[0])), 1))

    def exchange(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Both columns' values, first column first, on either device."""
        first, second = self.devices
        return torch.cat((a, b.to(first)), 1), torch.cat((a.to(second), b), 1)


# Where each layer of the grouped network stands in a column.
PLACES = {
    "convolutional.conv1": "apart1.0",
    "convolutional.conv2": "apart1.4",
    "convolutional.conv3": "apart2.0",
    "convolutional.conv4": "apart2.2",
    "convolutional.conv5": "apart2.4",
    "dense.fc6": "fc6",
    "dense.fc7": "fc7",
}


def split(grouped: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of `AlexNetColumns` from that of a two-column `AlexNet`.

    A column owns half of each layer's units, so its weights are half of the rows.
    """
    state = {f"fc8.{kind}": grouped[f"dense.fc8.{kind}"] for kind in ("weight", "bias")}
    for layer, place in PLACES.items():
        for kind in ("weight", "bias"):
            halves = grouped[f"{layer}.{kind}"].chunk(2)
            for column, half in zip(("first", "second"), halves, strict=True):
                state[f"{column}.{place}.{kind}"] = half
    return state


def merge(columns: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `split`, on the first column's device."""
    state = {f"dense.fc8.{kind}": columns[f"fc8.{kind}"] for kind in ("weight", "bias")}
    for layer, place in PLACES.items():
        for kind in ("weight", "bias"):
            first, second = (columns[f"{c}.{place}.{kind}"] for c in ("first", "second"))
            state[f"{layer}.{kind}"] = torch.cat((first, second.to(first.device)))
    return state


def place(model: AlexNet, devices: Devices) -> AlexNetColumns:
    """A copy of a grouped AlexNet with its columns on two devices; may be the same device twice.

    Raises `UserError` for an AlexNet of one column.
    """
    columns = AlexNetColumns(model.spec, devices).to(next(model.parameters()).dtype)
    columns.load_state_dict(split(model.state_dict()))
    return columns.train(model.training)
