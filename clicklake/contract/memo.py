"""What a pure function said of a short text, remembered: pages, products and campaigns repeat."""

from collections.abc import Callable
from typing import Any, TypeVar

Key = TypeVar("Key", str, bytes)


class Memo(dict[Key, Any]):
    """`memo[text]` is `read(text)`, from memory where it was asked before; a hit costs one look into a dict.

    Bounded: texts longer than `longest` are answered and forgotten, so that a sender of long ones, each
    different, cannot fill the function's memory; at `limit` texts all are forgotten and it begins anew.
    """

    def __init__(self, read: Callable[[Key], Any], limit: int = 8192, longest: int = 256) -> None:
        super().__init__()
        self._read, self._limit, self._longest = read, limit, longest

    def __missing__(self, text: Key) -> Any:
        answer = self._read(text)
        if len(text) <= self._longest:
            if len(self) >= self._limit:
                self.clear()
            self[text] = answer
        return answer
