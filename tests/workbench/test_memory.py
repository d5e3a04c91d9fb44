from convatlas import atlas
from convatlas.analysis.cost import cost
from convatlas.analysis.memory import training_memory
from convatlas.workbench.memory import memory_lines


def test_lines_by_hand() -> None:
    """LeNet-5: 244,320 bytes of weights; at the most c1's 6·28·28 and their squashed twins at once.

    6·28·28·4 = 18,816 bytes, twice is 37,632.
    """
    graph = atlas.graph("lenet5")
    inputs = ((1, 1, 32, 32),)
    weights, activations, training = memory_lines(
        cost(graph, inputs), training_memory(graph, inputs)
    )
    assert weights == "weights      244 kB, buffers included"
    assert activations == "activations  68.8 kB made, 37.6 kB at once at the most (in c1_squash)"
    assert training.startswith(
        "training     805 kB at once at the most, batch 1, SGD with momentum"
    )


def test_why_it_cannot_be_told() -> None:
    found = cost(atlas.graph("lenet5"))
    assert list(memory_lines(found, "fails: no"))[2] == "training     fails: no"
