import zipfile

import pytest

from convatlas import atlas, models
from convatlas.atlas import __main__ as build
from convatlas.errors import UserError
from convatlas.graph.propagate import propagate


@pytest.mark.slow
def test_the_atlas_is_up_to_date() -> None:
    with zipfile.ZipFile(atlas.PATH) as file:
        for name, text in build.documents():
            assert file.read(name).decode() == text, f"{name}: run `make atlas`"
        assert len(file.namelist()) == len(set(file.namelist()))


def test_entries_are_the_networks_in_order() -> None:
    assert tuple(entry.name for entry in atlas.entries()) == models.names()


@pytest.mark.parametrize("entry", atlas.entries(), ids=lambda entry: entry.name)
def test_an_entry_says_what_its_graph_does(entry: atlas.Entry) -> None:
    graph = atlas.graph(entry.name)
    assert graph.name == entry.name
    assert graph.trainable == entry.parameters
    assert not graph.unknown
    assert propagate(graph, ((1, *entry.input),)).macs == entry.macs


@pytest.mark.parametrize("entry", [e for e in atlas.entries() if e.heads], ids=lambda e: e.name)
def test_heads_run_in_training_alone(entry: atlas.Entry) -> None:
    still, heads = atlas.graph(entry.name), atlas.graph(entry.name, training=True)
    assert len(heads.outputs) > len(still.outputs)
    assert still.unused
    assert not heads.unused


def test_unknown_names_get_the_nearest_and_the_profiles() -> None:
    with pytest.raises(UserError, match="did you mean 'resnet50'"):
        atlas.graph("resnet5O")
    with pytest.raises(UserError, match="of resnet50 there are resnet50, resnet50@torchvision"):
        atlas.graph("resnet50@keras")
    with pytest.raises(UserError, match="unknown network 'zzz'; `convatlas list`"):
        atlas.entry("zzz")
