"""Everything a run needs before its first step, made from a request."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import msgspec
import torch

from convatlas import models
from convatlas.data.augment import Augment
from convatlas.data.check import PIXELS, check_pictures, content_sha256
from convatlas.data.dataset import Dataset, Pictures
from convatlas.data.load import load
from convatlas.data.preprocess import Preprocess, fit
from convatlas.data.split import SPLIT_SEED, split
from convatlas.errors import UserError
from convatlas.models.family import Blueprint, Task
from convatlas.training.card import (
    CARD_FORMAT,
    Card,
    DataCard,
    NetworkCard,
    device_name,
    openings,
    rejected,
    versions,
)
from convatlas.training.checks import check_batch, check_freezes, check_seed
from convatlas.training.machine import Machine, find_device, machine_for
from convatlas.training.recipe import Recipe, checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to train: a network by name, on a data set by name, with a recipe and a seed."""

    network: str
    data: str | Dataset  # by name, or in hand
    recipe: Recipe
    seed: int = 0
    device: str = "auto"
    size: int | None = None  # for folder data: the side pictures are brought to
    select_on_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A run about to start; the test part is still sealed inside ``dataset``."""

    dataset: Dataset
    training: Pictures
    validation: Pictures | None
    preprocess: Preprocess
    augment: Augment
    blueprint: Blueprint[Any]
    machine: Machine
    card: Card


def prepare(request: Request) -> Setting:
    """Load and divide the data, fit the pre-processing, adapt the network.

    Raises `UserError` for an unknown network or set, and for pictures the network cannot take.
    """
    request = dataclasses.replace(request, recipe=checked(request.recipe))
    check_seed(request.seed)
    published = models.blueprint(request.network)  # an unknown name fails before data is loaded
    machine = machine_for(request.recipe, find_device(request.device))
    dataset = in_hand(request.data, request.size)
    before = len(dataset.test.openings)  # by others, if the set was in hand
    training, validation = _divide(request, dataset)
    augment = Augment(
        shift=request.recipe.shift, flip=request.recipe.flip, crop=request.recipe.crop
    )
    task = _task(request, dataset)
    blueprint = models.blueprint(published.name, task)
    check_freezes(request.recipe, blueprint)
    check_batch(request.recipe.batch, len(training.labels), blueprint)
    return Setting(
        dataset=dataset,
        training=_on(machine, training),
        validation=validation and _on(machine, validation),
        preprocess=fit(
            request.recipe.preprocess, augment.centre(training.images), request.recipe.pad
        ),
        augment=augment,
        blueprint=blueprint,
        machine=machine,
        card=msgspec.structs.replace(
            _card(request, dataset, (training, validation), blueprint, machine.device),
            test_openings=openings(dataset)[before:],
        ),
    )


def in_hand(data: str | Dataset, size: int | None) -> Dataset:
    """The data set itself, loaded if it was given by name; `UserError` if it is malformed."""
    if isinstance(data, str):
        return load(data, size=size)
    check_pictures(data.train, data.name, len(data.classes))
    if data.checksums:
        return data
    return dataclasses.replace(data, checksums={PIXELS: content_sha256(data.train)})


def request_of(card: Card, data: Dataset | None = None) -> Request:
    """The request that a card answers, to go on with an unfinished run."""
    return Request(
        network=card.network.name,
        data=data or card.data.name,
        recipe=card.recipe,
        seed=card.seed,
        device=card.device,
        size=card.data.size,
        select_on_test=card.selected_on == "test",
    )


def _divide(request: Request, dataset: Dataset) -> tuple[Pictures, Pictures | None]:
    """Training part and validation part; the latter is the test part only if asked for by name."""
    if request.select_on_test:
        return dataset.train, dataset.test.open("every choice of the training (--select-on-test)")
    if not request.recipe.validation:
        return dataset.train, None
    return split(dataset.train, request.recipe.validation)


def _task(request: Request, dataset: Dataset) -> Task:
    channels, height, width = dataset.train.images.shape[1:]
    if height != width:
        raise UserError(
            f"{dataset.name} has pictures of {height}x{width}, networks here take squares; "
            f"give --size {min(height, width)}"
        )
    crop = request.recipe.crop
    if crop is not None and crop > height:
        raise UserError(f"crop {crop} is larger than the pictures of {dataset.name}, {height}")
    return Task(
        num_classes=len(dataset.classes),
        in_channels=channels,
        image_size=(crop or height) + 2 * request.recipe.pad,
        dropout=request.recipe.dropout,
    )


def _on(machine: Machine, pictures: Pictures) -> Pictures:
    return dataclasses.replace(
        pictures,
        images=pictures.images.to(machine.device),
        labels=pictures.labels.to(machine.device),
    )


def _card(
    request: Request,
    dataset: Dataset,
    parts: tuple[Pictures, Pictures | None],
    blueprint: Blueprint[Any],
    device: torch.device,
) -> Card:
    """The card as it stands before the first step."""
    spec, (training, validation) = blueprint.spec, parts
    network = NetworkCard(
        name=blueprint.name,
        paper=str(blueprint.variant.paper),
        departures=blueprint.departures,
        num_classes=spec.num_classes,
        in_channels=spec.in_channels,
        image_size=spec.image_size,
        dropout=request.recipe.dropout,
    )
    data = DataCard(
        name=dataset.name,
        size=request.size,
        checksums=dict(dataset.checksums),
        split_seed=SPLIT_SEED,
        training=len(training.labels),
        validation=0 if request.select_on_test or validation is None else len(validation.labels),
        rejected=rejected(dataset.train),
        side=dataset.train.images.shape[-1],
    )
    return Card(
        format=CARD_FORMAT,
        status="unfinished",
        network=network,
        classes=dataset.classes,
        data=data,
        recipe=request.recipe,
        seed=request.seed,
        selected_on=_selected_on(request),
        steps=request.recipe.epochs * math.ceil(len(training.labels) / request.recipe.batch),
        device=str(device),
        device_name=device_name(device),
        threads=torch.get_num_threads(),
        versions=versions(),
    )


def _selected_on(request: Request) -> str:
    if request.select_on_test:
        return "test"
    return "validation" if request.recipe.validation else "nothing"
