import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from convatlas.training.optimiser import Sgd
from convatlas.training.recipe import Recipe


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4)).to(
        memory_format=torch.channels_last
    )


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        Recipe(lr=0.1, momentum=0.5, nesterov=False),
        Recipe(lr=0.1, momentum=0.0, nesterov=False, weight_decay=0.1),
    ],
)
def test_the_same_weights_as_torchs_class(recipe: Recipe) -> None:
    ours, theirs = net(), net()
    mine = Sgd(ours.parameters(), recipe)
    other = torch.optim.SGD(
        theirs.parameters(),
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    for step in range(5):
        x = torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(step))
        if step == 3:  # a part that is frozen no longer moves
            ours[0].requires_grad_(False)
            theirs[0].requires_grad_(False)
        for model in (ours, theirs):
            mine.clear() if model is ours else other.zero_grad()
            model(x).square().mean().backward()
        mine.step()
        other.step()
        for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_a_run_imports_no_compiler(pictures: Path, tmp_path: Path) -> None:
    # 1.6 s of start-up that nobody asked for
    code = (
        "import sys, convatlas; from convatlas import Options, Recipe;"
        f"convatlas.train('lenet-bn', 'folder:{pictures}', recipe=Recipe(epochs=1),"
        f" out='{tmp_path / 'run'}', options=Options(report=False));"
        "print([m for m in ('torch._dynamo', 'sympy', 'matplotlib', 'jinja2') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
