"""How many processors there are for this process, and how many threads it may be told to use."""

import os
from pathlib import Path

from convatlas.errors import UserError

QUOTA = Path("/sys/fs/cgroup/cpu.max")
# more only wait for one another; thousands take minutes to start, or all memory
TIMES = 4


def processors() -> int:
    """How many processors this process may use, in a container as many as it was given."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS or Windows
        allowed = os.cpu_count() or 1
    try:
        return min(allowed, quota(QUOTA.read_text()) or allowed)
    except (OSError, ValueError):
        return allowed


def quota(said: str) -> int | None:
    """Processors that a control group's ``cpu.max`` grants, rounded up; ``None`` if all."""
    granted, period = said.split()
    return None if granted == "max" else max(1, -(-int(granted) // int(period)))


def check_threads(count: int | None, times: int = TIMES) -> None:
    """Refuse less than one thread, and more than ``times`` the processors; ``None`` is nothing."""
    if count is None:
        return
    if count < 1:
        raise UserError(f"threads is a number from 1, given {count}")
    there = processors()
    if count > times * there:
        raise UserError(
            f"{count} threads would wait for one another on {there} "
            f"processor{'' if there == 1 else 's'}; give {times * there} at most"
        )
