import gzip
import os

import pytest

from clicklake.buffer import MAX_MESSAGE_BYTES, Chunk, compress, from_message, to_messages


def lines_of(messages: list[str]) -> bytes:
    return b"".join(gzip.decompress(from_message(message).body) for message in messages)


def test_a_batch_that_fits_is_one_message():
    (message,) = to_messages("abc", [b"1\n", b"2\n"])
    assert from_message(message) == Chunk("abc-0", 2, compress(b"1\n2\n"))


def test_a_big_batch_is_cut_between_lines_into_messages_below_the_limit():
    lines = [os.urandom(12_000).hex().encode() + b"\n" for _ in range(100)]
    messages = to_messages("abc", lines)
    chunks = [from_message(message) for message in messages]
    assert len(messages) > 1 and max(map(len, messages)) <= MAX_MESSAGE_BYTES
    assert [chunk.name for chunk in chunks] == [f"abc-{number}" for number in range(len(chunks))]
    assert sum(chunk.lines for chunk in chunks) == 100
    assert lines_of(messages) == b"".join(lines)


def test_the_same_lines_give_the_same_bytes():
    assert compress(b"line\n") == compress(b"line\n")


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"format":2}', '{"format":1,"name":"a","lines":1,"body":"%"}'])
def test_a_message_of_another_form_is_refused(body):
    with pytest.raises(ValueError, match="not a buffered batch"):
        from_message(body)
