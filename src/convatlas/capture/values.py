"""Real values that go along with stand-ins, where a network branches on them."""

from typing import Any

import torch
from torch import Tensor

from convatlas.capture.inventory import Inventory
from convatlas.capture.traced import Traced, flat


class Values:
    """Does each call once more with real values, and hangs them on the stand-ins it made.

    What belongs to the network is copied before anything could be written into it.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._copies: dict[int, Tensor] = {}

    def real(self, value: Any) -> Any:
        """What a stand-in stands for, a copy of what the network owns; containers of these."""
        if isinstance(value, Traced):
            return value.followed
        if isinstance(value, Tensor) and id(value) in self._inventory.owned:
            if id(value) not in self._copies:
                self._copies[id(value)] = value.detach().clone()
            return self._copies[id(value)]
        if isinstance(value, list | tuple) and not isinstance(value, torch.Size):
            return type(value)([self.real(each) for each in value])
        return value

    def computed(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call with real values."""
        return func(*self.real(args), **{key: self.real(value) for key, value in kwargs.items()})

    def follow(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
        """Do a call with real values and hang them on what was made for it."""
        waiting = list(flat([made]))
        if any(isinstance(value, Traced) for value in waiting):
            results = flat([self.computed(func, args, kwargs)])
            for value, result in zip(waiting, results, strict=False):
                if isinstance(value, Traced):
                    value.followed = result
