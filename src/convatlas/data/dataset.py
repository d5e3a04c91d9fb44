"""What every data set looks like once loaded: pictures in memory, and a test part under seal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that could not be used as a picture, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """A labelled set held in memory."""

    images: Tensor  # uint8 (N, C, H, W)
    labels: Tensor  # int64 (N,)
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """One reading of the sealed test part."""

    when: str  # ISO 8601, UTC, to the second
    by: str  # "train", "eval", ...


class SealedTest:
    """The test part, unread until opened; remembers every opening."""

    def __init__(self, read: Callable[[], Pictures]) -> None:
        self._read = read
        self._openings: list[Opening] = []

    def open(self, by: str) -> Pictures:
        """Read the files now; an opening that failed to read is remembered too."""
        self._openings.append(Opening(datetime.now(UTC).isoformat(timespec="seconds"), by))
        return self._read()

    @property
    def openings(self) -> tuple[Opening, ...]:
        """Every reading so far, oldest first."""
        return tuple(self._openings)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A training part in memory, a sealed test part, and the checksums of the files behind them."""

    name: str  # "mnist", "folder:/some/path"
    classes: tuple[str, ...]
    train: Pictures
    test: SealedTest
    checksums: Mapping[str, str]  # file name -> SHA-256; what is covered, each loader says
