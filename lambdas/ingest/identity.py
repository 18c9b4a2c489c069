"""Who a user is without saying who: keyed hashes."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

# The ids that browsers make: nothing personal fits into one, however its digits fall.
is_uuid = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}").fullmatch


def is_impersonal(text: str) -> bool:
    """Whether nothing has to be looked for in an id: it is a UUID, or has ASCII letters and digits only, and not
    digits alone. What scrub.py takes has a sign in it, or is digits alone."""
    # Bytes are quicker than texts to ask.
    return (text.isascii() and (code := text.encode()).isalnum() and not code.isdigit()) or is_uuid(text) is not None


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
                raise ValueError(f"hash key {number} is not of the form version:hex with at least 32 hex digits")
            keys.append((int(version), key))
        if len({version for version, _ in keys}) != len(keys):
            raise ValueError("two hash keys have the same version")
        return HashKeys(tuple(sorted(keys)))

    def hash_user(self, user: str) -> str:
        """key version + '.' + unpadded base64url of HMAC-SHA256."""
        version, key = self.keys[-1]
        digest = hmac.digest(key, user.encode("utf-8", "surrogatepass"), "sha256")
        return f"{version}.{urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"

    @property
    def first(self) -> bytes:
        """The oldest key: for hashes that must never change."""
        return self.keys[0][1]

    def replace_id(self, text: str) -> str:
        """Stands for an id that holds personal data: 64 hex digits, the same for the same id."""
        return hmac.digest(self.first, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def ingest_id(request_id: str) -> str:
    """The batch: 32 hex digits. A repeated invocation of one request has the same."""
    return hashlib.sha256(request_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
