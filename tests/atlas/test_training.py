"""Networks as they train, against the module captured in training."""

import pytest

from convatlas import atlas, models
from convatlas.atlas.training import in_training
from convatlas.capture.capture import capture

OTHERWISE = {  # auxiliary heads, and Swin's paths that are dropped at random
    *("googlenet", "googlenet@torchvision", "inception_v3", "inception_v3@torchvision"),
    *("swin_t", "swin_s", "swin_b"),
}


@pytest.mark.parametrize("name", [entry.name for entry in atlas.entries()])
def test_the_graph_in_training_is_what_the_module_does(name: str) -> None:
    found = atlas.graph(name, training=True)
    module = models.blueprint(name).layout()
    assert found == capture(module, found.inputs[0], training=True, name=name)
    assert (name in OTHERWISE) == atlas.trains_otherwise(name)
    assert (in_training(atlas.graph(name)) == found) == (name not in OTHERWISE)
