"""What an exported network takes; imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What an exported network takes.

    ``fused``: uint8 pictures, cropped but not prepared; the preparation is part of the network.
    """

    dynamic_batch: bool = True
    dynamic_size: bool = False
    fused: bool = False
