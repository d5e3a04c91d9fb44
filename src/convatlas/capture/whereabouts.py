"""Where a network's own code was when it could not go on: the module, and the line."""

from collections.abc import Mapping
from pathlib import Path
from types import CodeType, TracebackType

import torch
from torch import nn

CALL = nn.Module._call_impl.__code__
OTHERS = (str(Path(torch.__file__).parent), str(Path(__file__).parents[1]))


def module_in(trace: TracebackType | None, paths: Mapping[int, str]) -> str:
    """The innermost module that was running where an error came from."""
    found = ""
    while trace is not None:
        if trace.tb_frame.f_code is CALL:
            found = paths.get(id(trace.tb_frame.f_locals["self"]), found)
        trace = trace.tb_next
    return found


def line_in(trace: TracebackType | None) -> str:
    """The line of the network's own code that it came from, ``net.py, line 12``.

    Empty where a module of torch's own was running: its path says enough.
    """
    found = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code is CALL:
            found = ""
        elif not is_others(code):
            found = f"{Path(code.co_filename).name}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def is_others(code: CodeType) -> bool:
    """Whether it is torch's or ours, not the network's."""
    return code.co_filename.startswith(OTHERS)
