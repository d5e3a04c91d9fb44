"""How many pictures go through the network at a time."""

from convatlas.errors import UserError
from convatlas.runtime.engines.engine import Job
from convatlas.runtime.work import macs_of

LEAST = 4  # fewer leave threads without work on small maps
WORTH = 125  # multiply-adds done in the time a byte of weights is read, ten times over


def part(job: Job) -> int:
    """A divisor of the batch: few pictures, so that their maps stay in the cache.

    But not so few that reading all weights again for each part would take a tenth of the time.
    The whole batch where the network's work is unknown, as its code cannot be followed.
    """
    if job.batch == 1:
        return 1
    try:
        macs = macs_of(job.network)
    except UserError:
        return job.batch
    tensors = job.network.module.parameters()
    weights = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    wanted = max(LEAST, WORTH * weights / max(1, macs))
    divisors = (n for n in range(1, job.batch) if job.batch % n == 0)
    return next((n for n in divisors if n >= wanted), job.batch)
