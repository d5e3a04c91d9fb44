"""torch, operation by operation: what every other engine is compared with."""

from convatlas.runtime.engines.engine import Engine, Job


def build(job: Job) -> Engine:
    """The network as it is."""
    return job.network.eager
