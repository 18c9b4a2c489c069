"""JSON as text: what a hostile or careless writer does to it, dealt with before anything is decoded."""

import re

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_TOKEN = re.compile(_STRING + rb"|[\[{]|[\]}]|,", re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)|.)",
    re.DOTALL,
)


def repair_escapes(text: bytes) -> bytes:
    r"""Replaces escaped lone surrogates and escaped NULs by U+FFFD, and leaves everything else alone.

    Browsers send half an emoji where a title was cut (`"\ud83d"`); no store downstream can hold either.
    """
    if b"\\u" not in text or not (b"\\ud" in text or b"\\uD" in text or b"\\u0000" in text):
        return text
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], text)


def is_nested_deeper(text: bytes, limit: int) -> bool:
    """Are brackets nested more than `limit` deep? Brackets within texts do not count."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        start = token[0][0]
        if start in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif start in b"]}":
            depth -= 1
    return False


def split_members(text: bytes, limit: int) -> list[bytes]:
    """The members of a JSON array or object as bytes, without decoding them; at most `limit` of them.

    Slow, but bounded in depth and memory whatever the text. It does not judge the members: an object's
    are `"key": value`, and each may turn out not to be JSON.
    """
    members: list[bytes] = []
    depth = 0
    start = 0
    for token in _TOKEN.finditer(text):
        char = token[0][0]
        if char in b"[{":
            depth += 1
            if depth == 1:
                start = token.end()
        elif char in b"]}":
            depth -= 1
            if depth == 0:
                last = text[start : token.start()].strip()
                if last or members:
                    members.append(last)
                break
        elif char == 0x2C and depth == 1:
            members.append(text[start : token.start()].strip())
            start = token.end()
            if len(members) >= limit:
                break
    else:
        # Never closed: what is left is a member too, to be refused, so that nothing vanishes.
        if depth > 0:
            members.append(text[start:].strip())
    return members
