"""What the server takes at most; nothing a client sends goes past these."""

import math
from dataclasses import dataclass

from convatlas.data.decode import MOST_PIXELS
from convatlas.errors import UserError

BODIES = 16  # bodies of the largest size that are in memory together; beyond, 503
LONGEST_WAIT = 1  # second


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, bytes, and counts of pictures.

    ``max_wait``: how long a picture may wait for others once the engine is free. ``queue``:
    pictures accepted and not yet answered. ``timeout``: of a request, from its head to its answer.
    ``grace``: for what is under way when the server is told to stop.
    """

    max_batch: int = 16
    max_wait: float = 0.003
    queue: int = 256
    timeout: float = 30.0
    max_bytes: int = 16 * 2**20
    max_pictures: int = 32
    max_pixels: int = 25_000_000
    connections: int = 512
    grace: int = 30

    def __post_init__(self) -> None:
        if not 0 < self.timeout < math.inf:  # nor nan
            raise UserError(
                f"--timeout {self.timeout:g} is no time to answer in; "
                "a number of seconds above 0 is expected"
            )
        if not 0 <= self.max_wait <= LONGEST_WAIT:
            raise UserError(
                f"--max-wait {1000 * self.max_wait:g} is no time to wait for others; "
                f"milliseconds from 0 to {1000 * LONGEST_WAIT} are expected"
            )
        if self.max_pictures > self.queue:
            raise UserError(
                f"--max-pictures {self.max_pictures} can never fit into --queue {self.queue}; "
                "raise the queue or lower the pictures of a request"
            )
        if self.max_pixels > MOST_PIXELS:
            raise UserError(
                f"--max-pixels {self.max_pixels} is more than is ever decoded; "
                f"at most {MOST_PIXELS}"
            )
