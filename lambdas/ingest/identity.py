"""Who a user is without saying who: keyed hashes, and ids for events that came without one."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import rfc8785

_SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True)
class HashKeys:
    """Versioned secret keys. New user hashes use the newest version; derived event ids always use
    the oldest, so that an id does not change when a key is added."""

    keys: tuple[tuple[int, bytes], ...] = field(repr=False)

    @staticmethod
    def parse(text: str) -> "HashKeys":
        """Reads "1:hex,2:hex"; a key has at least 16 bytes. The message of an error never holds a key."""
        keys = []
        for number, part in enumerate(text.split(","), start=1):
            version, _, digits = part.strip().partition(":")
            try:
                key = bytes.fromhex(digits)
            except ValueError:
                key = b""
            if not version.isdecimal() or len(key) < 16:
                raise ValueError(
                    f"hash key {number} is not of the form version:hex with at least 32 hex digits"
                )
            keys.append((int(version), key))
        if len({version for version, _ in keys}) != len(keys):
            raise ValueError("two hash keys have the same version")
        return HashKeys(tuple(sorted(keys)))

    def hash_user(self, user: str) -> str:
        """key version + '.' + unpadded base64url of HMAC-SHA256."""
        version, key = self.keys[-1]
        digest = hmac.digest(key, user.encode("utf-8", "surrogatepass"), "sha256")
        return f"{version}.{urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"

    def derive_id(self, material: bytes) -> str:
        """A stable id of 64 hex digits for something that has none, or whose own may not be kept."""
        return hmac.digest(self.keys[0][1], material, "sha256").hex()


def ingest_id(request_id: str) -> str:
    """The batch: 32 hex digits. A repeated invocation of one request has the same."""
    return hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def derived_event_id(keys: HashKeys, raw_event: bytes) -> str:
    """The id of an event sent without one: a function of what was sent, less when it was sent.

    The HMAC is over the event's RFC 8785 form, so neither the order of keys nor white space counts.
    Where that form does not exist (a lone surrogate, say) it is over the bytes as they came.
    """
    try:
        event = msgspec.json.decode(raw_event, type=dict)
        event.pop("sent_at", None)
        return keys.derive_id(rfc8785.dumps(_as_doubles(event)))
    except (rfc8785.CanonicalizationError, msgspec.DecodeError, UnicodeError, RecursionError):
        return keys.derive_id(bytes(raw_event))


def _as_doubles(value: object) -> object:
    """RFC 8785 knows numbers as doubles only; integers beyond their exact range become one."""
    if isinstance(value, Mapping):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INTEGER:
        return float(value)
    return value
