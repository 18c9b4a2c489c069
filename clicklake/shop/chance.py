"""Randomness that is the same on every Python: everything is made from `random.Random.random` and `getrandbits`."""

import math
import random
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Things to pick from, each with its weight."""

    __slots__ = ("_sums", "_total", "things")

    def __init__(self, weights: Iterable[tuple[T, float]]) -> None:
        pairs = [(thing, weight) for thing, weight in weights if weight > 0]
        self.things = tuple(thing for thing, _ in pairs)
        self._sums = list(accumulate(weight for _, weight in pairs))
        self._total = self._sums[-1]

    def at(self, share: float) -> T:
        """The thing at `share` (0 <= share < 1) of the total weight."""
        return self.things[min(bisect_right(self._sums, share * self._total), len(self.things) - 1)]


class Chance:
    """A stream of chance named by its parts: the same name gives the same stream for ever."""

    __slots__ = ("_bits", "random")

    def __init__(self, *name: object) -> None:
        # A text seed goes through SHA-512, whatever PYTHONHASHSEED says.
        source = random.Random("/".join(map(str, name)))
        self.random = source.random
        self._bits = source.getrandbits

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def integer(self, low: int, high: int) -> int:
        """From low to high, both included."""
        return low + int((high - low + 1) * self.random())

    def one_of(self, things: tuple[T, ...] | list[T]) -> T:
        return things[int(len(things) * self.random())]

    def pick(self, weighted: Weighted[T]) -> T:
        return weighted.at(self.random())

    def normal(self, mean: float = 0.0, deviation: float = 1.0) -> float:
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.random())

    def around(self, median: float, spread: float) -> float:
        """Log-normal: half of the values below `median`; `spread` is the deviation of the logarithm."""
        return median * math.exp(spread * self.normal())

    def hex(self, digits: int) -> str:
        return f"{self._bits(digits * 4):0{digits}x}"

    def uuid(self) -> str:
        """A version 4 uuid."""
        text = f"{self._bits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"
