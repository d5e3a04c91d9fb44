"""What a graph computes from its weights alone is computed once, before it runs."""

from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.fx.node import map_arg

from convatlas.runtime.engines.kernel.pattern import aten, tensor_of

MOST = 1 << 24  # numbers in a result that is kept
MADE = (aten.new_zeros.default, aten.new_ones.default, aten.new_full.default)  # no value is read


def fold(module: GraphModule) -> None:
    """Replace, by its value, each result that depends on constants only."""
    graph = module.graph
    known: dict[Node, Any] = {}
    for node in list(graph.nodes):
        if node.op == "get_attr":
            known[node] = tensor_of(module, node)
        elif _is_known(node, known):
            known[node] = _value(node, known)
    for node, value in known.items():
        if node.op == "get_attr" or not isinstance(value, Tensor):
            continue
        if all(user in known for user in node.users):
            continue  # only read on the way to others
        name = register(module, value.contiguous())
        with graph.inserting_before(node):
            constant = graph.get_attr(name)
        constant.meta = dict(node.meta)
        node.replace_all_uses_with(constant)


def register(module: GraphModule, value: Tensor) -> str:
    """Make a tensor a buffer of the module; its name, which nothing of the network's has."""
    number = 0
    while hasattr(module, f"_kernel_{number}"):
        number += 1
    module.register_buffer(f"_kernel_{number}", value)
    return f"_kernel_{number}"


def _is_known(node: Node, known: dict[Node, Any]) -> bool:
    """Whether a result depends on constants only, is the same each time and not too large."""
    if node.op != "call_function" or "val" not in node.meta:
        return False
    if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
        return False
    made = node.meta["val"]
    if isinstance(made, Tensor) and made.numel() > MOST:
        return False
    if node.target in MADE:
        return True
    return all(each in known for each in node.all_input_nodes)


def _value(node: Node, known: dict[Node, Any]) -> Any:
    """An operation done."""
    assert callable(node.target)
    args, kwargs = node.args, node.kwargs
    if node.target in MADE:  # like a tensor whose numbers nobody reads
        args = (torch.empty((), dtype=node.meta["val"].dtype), *args[1:])
    given = map_arg((args, kwargs), lambda each: known[each])
    return node.target(*given[0], **given[1])
