"""One published layout: whose it is, which networks it means, and how its keys are ours."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from convatlas.checkpoints.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The keys of one kind of network in one library, or in two that have the same."""

    sources: tuple[str, ...]  # "torchvision", "timm"
    networks: tuple[str, ...]  # ours that are what the files contain, in meaning too
    rules: Rules
    old: tuple[tuple[str, str], ...] = ()  # patterns in keys of older files, and what they are now
    ignored: tuple[str, ...] = ()  # endings of keys that hold constants, not weights
    constants: Rules = ()  # buffers of ours that are not saved, and their keys that are
    pointwise: tuple[str, ...] = ()  # dense layers of ours that are 1x1 convolutions of theirs
    ahead: str = ""  # pattern of keys that stand before the rest of their ``block``
    unlike: str = ""  # how their network differs where none of ours is the same

    @property
    def label(self) -> str:
        """As messages call it."""
        return " and ".join(self.sources)

    def present(self, keys: Iterable[str]) -> dict[str, str]:
        """The keys of a file that hold weights: each as it is written today, and as in the file."""
        found = {}
        for key in keys:
            if not key.endswith(self.ignored):
                now = key
                for pattern, replacement in self.old:
                    now = re.sub(pattern, replacement, now)
                found[now] = key
        return found

    def ordered(self, keys: Iterable[str]) -> list[str]:
        """Keys of theirs in the order of their files, given those in the order of ours."""
        made: list[str] = []
        for key in keys:
            match = re.match(self.ahead, key) if self.ahead else None
            places = (n for n, other in enumerate(made) if match and _is_late(other, match, self))
            made.insert(next(places, len(made)), key)
        return made


def _is_late(key: str, match: re.Match[str], layout: Layout) -> bool:
    return key.startswith(match["block"]) and not re.match(layout.ahead, key)
