"""JSON as text: what a hostile or careless writer does to it, dealt with before anything is decoded."""

import re

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
_TOKEN = re.compile(_STRING + rb"|[\[{]+|[\]}]+|,", re.DOTALL)
_OPENING = re.compile(rb"\s*:\s*\[")
_AS_LISTS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MAX_TOKENS = 1_000_000
_SURROGATE_OR_NUL = rb"(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000)"
_PAIR = rb"[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# What is well is passed over in one go, however many escapes it has: a call for each takes seconds in a body of them.
_ESCAPES = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u" + _PAIR + rb"|\\u(?!" + _SURROGATE_OR_NUL + rb"))++|(\\u" + _SURROGATE_OR_NUL + rb")"
)


def repair_escapes(text: bytes) -> bytes:
    r"""Replaces escaped lone surrogates and escaped NULs by U+FFFD, and leaves everything else alone.

    Browsers send half an emoji where a title was cut (`"\ud83d"`); no store downstream can hold either.
    """
    # One letter is looked for much faster than two.
    if b"\\" not in text or b"\\u" not in text or not (b"\\ud" in text or b"\\uD" in text or b"\\u0000" in text):
        return text
    return _ESCAPES.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], text)


def is_nested_deeper(text: bytes, limit: int) -> bool:
    """Are brackets nested more than `limit` deep? Brackets within texts do not count."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    # Each round takes away the innermost pairs of all branches at once.
    brackets = _STRINGS.sub(b"", text).translate(_AS_LISTS, _NO_BRACKETS)
    for _ in range(limit):
        remaining = brackets.replace(b"[]", b"")
        if remaining == brackets:
            break
        brackets = remaining
    # Of what is left without pairs, text that is no JSON, only the opening ones are depth.
    return brackets.count(b"[") > (0 if b"[]" in brackets else limit)


def split_members(text: bytes, limit: int) -> list[bytes] | None:
    """The members of a JSON array or object as bytes, without decoding them; at most `limit` of them.

    Slow, but bounded in depth, memory and time whatever the text: None after a million tokens. It does
    not judge the members: an object's are `"key": value`, and each may turn out not to be JSON.
    """
    members: list[bytes] = []
    depth = 0
    start = 0
    for number, token in enumerate(_TOKEN.finditer(text)):
        char = text[token.start()]
        if char in b"[{":
            depth += token.end() - token.start()
            if start == 0:
                # A run of brackets may open the first member too.
                start = token.start() + 1
        elif char in b"]}":
            depth -= token.end() - token.start()
            if depth <= 0:
                # A run of brackets may close more than the text's own one: depth is then below zero.
                last = text[start : token.end() - 1 + depth].strip()
                if last or members:
                    members.append(last)
                break
        elif char == 0x2C and depth == 1:
            members.append(text[start : token.start()].strip())
            start = token.end()
            if len(members) >= limit:
                break
        if number > _MAX_TOKENS:
            return None
    else:
        # Never closed: what is left is a member too, to be refused, so that nothing vanishes.
        if depth > 0:
            members.append(text[start:].strip())
    return members


def find_list(text: bytes, name: bytes) -> int | None:
    """Where the list begins that an object has under this (quoted) name."""
    depth = 0
    for number, token in enumerate(_TOKEN.finditer(text)):
        char = text[token.start()]
        if char in b"[{":
            depth += token.end() - token.start()
        elif char in b"]}":
            depth -= token.end() - token.start()
        elif depth == 1 and char == 0x22 and token[0] == name:
            opening = _OPENING.match(text, token.end())
            if opening is not None:
                return opening.end() - 1
        if number > _MAX_TOKENS:
            return None
    return None
