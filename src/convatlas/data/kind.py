"""The kinds of pre-processing, by name; imports no torch."""

from typing import Literal

Kind = Literal["unit", "ink", "mean-image", "channel-mean", "channel-standard"]
