"""Keyed fingerprints: a note or sentence known again by its text, where the text must not be kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.text.fold import fold

KEY_BYTES = 32
_HEX_DIGITS = 32


def new_key() -> bytes:
    """A fresh random key of ``KEY_BYTES`` bytes."""
    return secrets.token_bytes(KEY_BYTES)


class Fingerprints:
    """HMAC-SHA256 of folded text, white space runs as one blank; as good as random to whoever lacks the key.

    Args:
        key: ``KEY_BYTES`` bytes, the same for whatever is to be compared.

    Attributes:
        key_id: eight hex digits that tell keys apart and say nothing else of them.

    Raises:
        UsageError: a key of another length.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise UsageError(f"a fingerprint key of {len(key)} bytes; it must have {KEY_BYTES}")
        self._key = key
        self.key_id = hashlib.sha256(key).hexdigest()[:8]

    def note(self, text: str) -> str:
        """32 hex digits that stand for a note's text."""
        return self._digest("note", text)

    def sentence(self, text: str) -> str:
        """32 hex digits that stand for a sentence's text; never those of a note with the same words."""
        return self._digest("sentence", text)

    def _digest(self, kind: str, text: str) -> str:
        words = " ".join(fold(text).split())
        return hmac.new(self._key, f"{kind}\n{words}".encode(), hashlib.sha256).hexdigest()[:_HEX_DIGITS]
