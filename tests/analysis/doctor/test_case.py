from convatlas import atlas
from convatlas.analysis.doctor.case import case_of, listed
from convatlas.graph.propagate import propagate


def test_names_and_pictures() -> None:
    graph = atlas.graph("lenet5")
    case = case_of(graph, propagate(graph))
    assert case.has_plane
    assert case.picture[1:] == (1, 32, 32)
    assert case.name(0) == "input"
    assert case.name(1) == "c1"
    assert case.shape(1)[1:] == (6, 28, 28)


def test_listed() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
