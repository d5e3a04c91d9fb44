"""Recurrent layers as torch calls them; nn.LSTM and its like end in these functions."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from convatlas.capture.arguments import Handler
from convatlas.capture.traced import lengths
from convatlas.capture.tracer import Tracer
from convatlas.graph.recurrent import GATES, LastState, Recurrent

Kind = Literal["lstm", "gru", "rnn"]


def layers(
    kind: Kind,
    tracer: Tracer,
    input: Tensor,
    state: Any,
    weights: Any,
    has_biases: Any,
    num_layers: Any,
    *rest: Any,
) -> Any:
    """torch.lstm, gru, rnn_tanh, rnn_relu; a packed sequence is left to torch.

    ``rest``: dropout, training, bidirectional, batch_first.
    """
    if not isinstance(weights, list | tuple) or len(rest) != 4:
        return NotImplemented
    _dropout, _training, bidirectional, batch_first = rest
    operation = recurrent(kind, weights, has_biases, num_layers, bidirectional, batch_first)
    states = list(state) if isinstance(state, list | tuple) else [state]
    made = tracer.record(operation, [input, *states], parameters=weights)
    batched = input.dim() == 3
    count = operation.layers * operation.directions
    steps = 1 if batched and batch_first else 0
    sizes = (operation.c_out, operation.hidden) if kind == "lstm" else (operation.hidden,)
    last = [tracer.record(LastState(count=count, size=s, steps=steps), [made]) for s in sizes]
    return (made, *last)


def recurrent(
    kind: Kind,
    weights: Sequence[Tensor],
    bias: bool,
    num_layers: int,
    bidirectional: bool,
    batch_first: bool,
) -> Recurrent:
    """The operation, read off the first layer's weights."""
    rows, c_in = lengths(weights[0])
    hidden, c_out = rows // GATES[kind], lengths(weights[1])[1]
    return Recurrent(
        kind=kind,
        c_in=c_in,
        hidden=hidden,
        layers=num_layers,
        directions=2 if bidirectional else 1,
        bias=bias,
        projection=None if c_out == hidden else c_out,
        batch_first=batch_first,
    )


def cell(  # noqa: PLR0913 - torch's own signature
    kind: Kind,
    tracer: Tracer,
    input: Tensor,
    state: Any,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Any:
    """torch.lstm_cell, gru_cell, rnn_tanh_cell, rnn_relu_cell: one step."""
    rows, c_in = lengths(w_ih)
    operation = Recurrent(
        kind=kind, c_in=c_in, hidden=rows // GATES[kind], bias=b_ih is not None, cell=True
    )
    states = list(state) if isinstance(state, list | tuple) else [state]
    owned = [w_ih, w_hh, b_ih, b_hh]
    made = tracer.record(operation, [input, *states], parameters=owned)
    return (made, tracer.beside(made, made.dtype)) if kind == "lstm" else made


HANDLERS: dict[object, Handler] = {
    torch.lstm: partial(layers, "lstm"),
    torch.gru: partial(layers, "gru"),
    torch.rnn_tanh: partial(layers, "rnn"),
    torch.rnn_relu: partial(layers, "rnn"),
    torch.lstm_cell: partial(cell, "lstm"),
    torch.gru_cell: partial(cell, "gru"),
    torch.rnn_tanh_cell: partial(cell, "rnn"),
    torch.rnn_relu_cell: partial(cell, "rnn"),
}
