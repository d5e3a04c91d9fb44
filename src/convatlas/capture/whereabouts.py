"""Where a network's own code was when it could not go on: the module, and the line."""

import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FrameType, TracebackType

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


def line_now() -> str:
    """The line of the network's own code that is running: ``net.py, line 12, "if x.mean() > 0:"``.

    Of torch's where the network is torch's.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_code.co_filename).startswith(OTHERS[1]):
        frame = frame.f_back
    innermost = frame
    while frame is not None and is_others(frame.f_code) and frame.f_code is not CALL:
        frame = frame.f_back
    frame = innermost if frame is None or frame.f_code is CALL else frame
    if frame is None:
        return ""
    name = frame.f_code.co_filename
    text = linecache.getline(name, frame.f_lineno).strip()
    place = f"{Path(name).name}, line {frame.f_lineno}"
    return f'{place}, "{text}"' if text else place


def is_others(code: CodeType) -> bool:
    """Whether it is torch's or ours, not the network's."""
    return code.co_filename.startswith(OTHERS)
