"""A network is left exactly as it was, nothing is computed, and nothing is allocated."""

import random
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from references import torchvision
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from convatlas.capture.capture import CaptureError, capture
from convatlas.graph.propagate import propagate


class Busy(nn.Module):
    """Does all a forward should not: counts, caches, draws, changes its buffers and modes."""

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.register_buffer("steps", torch.zeros(3))
        self.frozen = nn.Parameter(torch.ones(4, 1, 1), requires_grad=False)
        self.calls, self.cache, self.seen, self.fails = 0, {}, [], fails  # type: ignore[var-annotated]

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.steps += 1
        self.steps[0] = 7
        torch.add(self.steps, 1, out=self.steps)
        self.frozen.data.clamp_(2, 3)
        self.body.eval()
        self.last = self.body(x) * self.frozen + torch.rand(1) + random.random() + np.random.rand()
        self.cache["x"] = self.last
        self.seen.append(self.last)
        self.register_buffer("fresh", x)
        self.body[0].weight.data = self.body[0].weight.data * 2
        return self.last if not self.fails else self.last @ self.steps.view(3, 1)


def state(net: nn.Module) -> list[Any]:
    """All that can be seen of a network and of chance, tensors by their values and versions."""
    tensors = [*net.named_parameters(), *net.named_buffers()]
    parts = [
        (path, part.training, sorted(vars(part)), [len(hooks) for hooks in hooks_of(part)])
        for path, part in net.named_modules()
    ]
    seen = [
        (name, id(t), t._version, t.tolist(), t.requires_grad, t.grad, t.device, t.dtype)
        for name, t in tensors
    ]
    chance = [random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()]
    own = [getattr(net, name, None) for name in ("calls", "cache", "seen")]
    return [parts, seen, chance, str(own), torch.is_grad_enabled(), type(net)]


def hooks_of(part: nn.Module) -> list[Any]:
    return [part._forward_hooks, part._forward_pre_hooks, part._backward_hooks]


@pytest.mark.parametrize("training", [True, False, None])
@pytest.mark.parametrize("fails", [True, False])
@pytest.mark.parametrize("grad", [True, False])
def test_nothing_is_changed(training: bool | None, *, fails: bool, grad: bool) -> None:
    net = Busy(fails=fails)
    net.body[1].eval()
    net.body[0].weight.grad = torch.ones(4, 3, 3, 3)
    with torch.set_grad_enabled(grad):
        before = state(net)
        if fails:
            with pytest.raises(CaptureError):
                capture(net, (2, 3, 8, 8), training=training)
        else:
            capture(net, (2, 3, 8, 8), training=training)
        assert state(net) == before


class Nothing(TorchDispatchMode):
    """Lets no operator of torch pass but another name for the same values."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.detach.default:
            return func(*args)
        raise AssertionError(f"{func} was run")


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "densenet121", "vit_b_32"])
@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_computed(name: str, *, training: bool) -> None:
    net = getattr(torchvision.models, name)(weights=None)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(float("nan"))
    with Nothing():
        graph = capture(net, (2, 3, 224, 224), training=training)
    assert not graph.notes


def test_nothing_is_allocated() -> None:
    script = """
        import resource, torch
        from torch import nn
        from convatlas.capture.capture import capture
        with torch.device("meta"):
            net = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3))
        capture(net, (1, 3, 32, 32))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        capture(net, (1, 3, 8192, 8192))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    run = [sys.executable, "-c", textwrap.dedent(script)]
    grown = int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert grown < 10_000  # kilobytes; the first activation alone would be 17 gigabytes


def test_threads_do_not_see_each_other() -> None:
    with torch.device("meta"):
        nets = [torchvision.models.resnet50(), torchvision.models.googlenet(init_weights=False)]
    nets.append(nets[0])
    alone = [capture(net, (2, 3, 224, 224), training=False) for net in nets]
    with ThreadPoolExecutor(3) as pool:
        for _ in range(4):
            made = pool.map(lambda net: capture(net.eval(), (2, 3, 224, 224)), nets)
            assert list(made) == alone


def test_a_network_runs_as_before_on_real_values() -> None:
    net = torchvision.models.swin_t(weights=None).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = net(x)
        graph = capture(net, x)
        assert torch.equal(net(x), before)
    assert propagate(graph).shapes[-1] == (1, 1000)
