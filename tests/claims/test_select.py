import pytest

from convatlas.claims.measure import Bench
from convatlas.claims.select import Selection, last, under
from convatlas.errors import UserError


def test_paths() -> None:
    assert under("stage1.block1", "stage1")
    assert under("stage1", "stage1")
    assert not under("stage10", "stage1")
    assert under("auxiliary_4a.0", "auxiliary_*")
    assert under("stage1.block2.conv", "stage*.block2")
    assert not under("stage1", "stage*.block2")


def test_operations_by_module_kind_and_kernel() -> None:
    graph, _ = Bench().network("vgg16-c")
    assert len(Selection(kinds=("Conv",)).nodes(graph)) == 13
    assert len(Selection(kernel=(1, 1)).nodes(graph)) == 3
    assert len(Selection(kinds=("Conv",), at="convolutional.row5").nodes(graph)) == 3
    assert len(Selection(kinds=("Conv",), without="convolutional.row5").nodes(graph)) == 10
    assert len(Selection().nodes(graph)) == len(graph.nodes)


def test_parameters_by_the_operations_that_read_them() -> None:
    graph, _ = Bench().network("vgg15-cifar")
    norms = Selection(kinds=("BatchNorm",)).parameters(graph)
    assert sum(tensor.size for tensor in norms) == 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512 + 512)


def test_last_operation_of_a_module() -> None:
    graph, made = Bench().network("googlenet")
    assert made.measures[last(graph, "inception3a")].shape == (1, 256, 28, 28)
    assert made.measures[last(graph, "input")].shape == (1, 3, 224, 224)


def test_nothing_found() -> None:
    graph, _ = Bench().network("lenet5")
    with pytest.raises(UserError, match=r"lenet5 has no operation at 'c9'; see `convatlas show`"):
        Selection(at="c9").nodes(graph)
    with pytest.raises(UserError, match="lenet5 has no parameter at 'c1_squash'"):
        Selection(at="c1_squash").parameters(graph)
    with pytest.raises(UserError, match="lenet5 has no module 'c9'"):
        last(graph, "c9")
