from collections import Counter

import torch
from torch import Tensor, nn

from convatlas.runtime.engines.kernel.constants import fold
from convatlas.runtime.onnx_file import quiet


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(5, 2))
        self.register_buffer("rows", torch.tensor([[0, 4], [2, 2]]))

    def forward(self, x: Tensor) -> Tensor:
        bias = self.table[self.get_buffer("rows")].permute(2, 0, 1) * 3
        mask = (x.new_zeros(2).add(1) != x.new_ones(2)).to(x.dtype)
        return x * bias + mask + torch.rand_like(self.table[0]).mul(0)


def test_what_does_not_depend_on_the_picture_is_computed_once() -> None:
    module, x = Mixed().eval(), torch.randn(2, 2, 2)
    with quiet():
        made = torch.export.export(module, (x,)).run_decompositions({}).module(check_guards=False)
    assert isinstance(made, torch.fx.GraphModule)
    fold(made)
    made.graph.eliminate_dead_code()
    made.recompile()
    calls = Counter(str(n.target) for n in made.graph.nodes if n.op == "call_function")
    assert calls["aten.mul.Tensor"] == 2  # with the bias, and of what is drawn each time
    assert calls["aten.rand_like.default"] == 1
    assert not {"aten.index.Tensor", "aten.new_zeros.default", "aten.ne.Tensor"} & set(calls)
    assert torch.equal(made(x), module(x))
