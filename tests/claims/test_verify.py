import dataclasses

import pytest

from convatlas import atlas
from convatlas.claims.verify import FAILED, verify
from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.graph import Graph

READ = atlas.graph


def wider(name: str, *, training: bool = False) -> Graph:
    """The network of the atlas whose first convolution has other sizes and twice the weights."""
    graph = READ(name, training=training)
    place = next(n for n, node in enumerate(graph.nodes) if isinstance(node.operation, Conv))
    node = graph.nodes[place]
    changed = dataclasses.replace(node.operation, kernel=(3, 3))  # type: ignore[type-var]
    nodes = list(graph.nodes)
    nodes[place] = dataclasses.replace(node, operation=changed)
    tensors = list(graph.parameters)
    first = node.parameters[0]
    tensors[first] = dataclasses.replace(tensors[first], shape=(2, *tensors[first].shape))
    return dataclasses.replace(graph, nodes=tuple(nodes), parameters=tuple(tensors))


def test_every_verdict_of_the_ledger_still_holds() -> None:
    found = verify()
    assert [(f.claim.id, f.full_verdict) for f in found.changed] == []
    assert sum(found.counts.values()) == len(found.findings) == 1038
    assert len(found.papers) == 22
    assert all((f.measured is None) == (f.claim.measure is None) for f in found.findings)


def test_one_network_and_one_paper() -> None:
    ours = {finding.claim.id for finding in verify("googlenet").findings}
    assert "googlenet.t1.params.i3a" in ours
    assert "incv3.t3.0.ops" in ours  # printed in another paper
    assert "lenet5.params.C1" not in ours
    assert {finding.paper.name for finding in verify(paper_name="unet").findings} == {"unet"}
    both = verify("alexnet", "googlenet")
    assert [finding.claim.id for finding in both.findings] == ["googlenet.ratio"]


def test_contradictions_go_with_the_figures() -> None:
    assert any("253,440" in entry.says for _, entry in verify("alexnet").contradictions)
    assert not verify("unet").contradictions


def test_a_changed_network_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlas, "graph", wider)
    found = verify("alexnet", "alexnet")
    changed = {finding.claim.id: finding for finding in found.changed}
    assert {"alexnet.params.conv1", "alexnet.params", "alexnet.kernels", "alexnet.macs"} <= {
        *changed
    }
    assert "alexnet.params.fc7" not in changed
    told = changed["alexnet.params.conv1"]
    assert told.full_verdict.startswith("CHANGED: differs, ")
    assert told.full_verdict.endswith("; the ledger says holds")
    # within the rounding of what is printed, but not what was counted
    assert changed["alexnet.macs"].full_verdict.endswith(
        "the ledger says holds (rounded), 724.406816"
    )


def test_what_can_no_longer_be_measured_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlas, "graph", lambda name, *, training=False: READ("lenet-caffe"))
    found = verify("lenet5", "lenet")
    assert found.counts[FAILED] > 20
    told = next(f for f in found.changed if f.claim.id == "lenet5.params.C1")
    assert told.full_verdict == (
        "CHANGED: cannot be measured: lenet-caffe has no parameter at 'c1'; see `convatlas show`; "
        "the ledger says holds"
    )


def test_unknown_names() -> None:
    with pytest.raises(UserError, match="unknown network 'googlnet'; did you mean 'googlenet"):
        verify("googlnet")
    with pytest.raises(UserError, match="unknown network 'resnet50@timm'; of resnet50 there are"):
        verify("resnet50@timm")
    with pytest.raises(UserError, match="no paper 'vggg'; did you mean 'vgg'"):
        verify(paper_name="vggg")
