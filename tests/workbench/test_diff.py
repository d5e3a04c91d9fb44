from changed import changed, every, untouched
from torch import nn

from convatlas.analysis.diff import diff
from convatlas.tables import render
from convatlas.workbench.diff import changes_table, kinds_table


def test_changes_as_a_table() -> None:
    found = diff(untouched("alexnet"), changed("alexnet", every(nn.Dropout, p=0.3)))
    assert render(changes_table(found), "csv").splitlines() == [
        "place in A,place in B,what,A,B,parameters,MACs,times",
        "classifier.0,classifier.0,p of dropout,0.5,0.3,–,–,2",
    ]


def test_a_total_stands_below_several() -> None:
    found = diff(untouched("resnet18"), untouched("resnet34"))
    rows = changes_table(found).rows
    what = "blocks at 56×56 (2 × convolution 3×3, 64)"
    assert rows[0][:6] == ("", "layer1.2", what, "2", "3", "+73,984")
    assert rows[-1][2:] == ("in total", "", "", "+10,108,160", "+1,849,688,064", "")


def test_unlike_networks_by_kind_the_costliest_first() -> None:
    found = diff(untouched("vgg16"), untouched("swin_t"))
    assert [row[0] for row in kinds_table(found).rows[:2]] == ["convolution", "dense layer"]
