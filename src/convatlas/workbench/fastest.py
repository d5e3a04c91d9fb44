"""A network on the fastest engine of this machine."""

from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.errors import UserError
from convatlas.runtime.threads import check_threads
from convatlas.workbench.ask import Sizes
from convatlas.workbench.export import network_of
from convatlas.workbench.given import Given, check_given, with_input

if TYPE_CHECKING:
    from torch import nn

    from convatlas.runtime.auto import Choice

PLAIN = Given()


def fastest(
    what: "str | Path | nn.Module",
    *,
    input: Sizes | None = None,
    batch: int = 1,
    threads: int | None = None,
    given: Given = PLAIN,
    budget: float = 120.0,
) -> "Choice":
    """Measure the engines that compute the same and keep the fastest; remembered for the next time.

    ``what``: a run folder, a built-in network by name, ``package.module:name``, or a module.
    ``input``: its size, like (3, 224, 224) or ``3x224x224``, which a module does not say itself;
    ``given``: what else `Given` can say of it. ``choice.engine`` takes float32 (batch, C, H, W)
    and gives scores, one call at a time. ``budget``: seconds for building engines; one that
    mostly takes longer than what is left is not tried, so that 0 leaves eager, or what is
    remembered. Raises `UserError`. Sets torch's number of threads if ``threads`` are given.
    """
    if batch < 1:
        raise UserError(f"batch is a number from 1, given {batch}")
    check_threads(threads)
    given = with_input(given, input)
    check_given(what, given)
    import torch

    from convatlas.runtime.auto import fastest as chosen
    from convatlas.runtime.engines.engine import Job
    from convatlas.runtime.measure import Effort

    if threads:
        torch.set_num_threads(threads)
    network = network_of(what, given)
    job = Job(network=network, batch=batch, threads=torch.get_num_threads())
    return chosen(job, Effort(budget=budget))
