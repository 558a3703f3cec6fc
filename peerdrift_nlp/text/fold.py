"""Fold typographic variants onto plain characters, one for one, so that offsets stay valid."""

from __future__ import annotations

import unicodedata

_VARIANTS = {
    "'": "‘’‚‛′`´ʼ＇",
    '"': "“”„‟″«»＂",
    "-": "‐‑‒–—―−﹣－",
    "*": "•·∙●○◦▪▫■□‣⁃➢➤►▶✓✔❖∘",
    "\n": "\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029",
    ".": "…",
}
_PLAIN = {ord(variant): plain for plain, variants in _VARIANTS.items() for variant in variants}


class _FoldTable(dict[int, int | str]):
    """A ``str.translate`` table that works out each character once, when it is first met."""

    def __missing__(self, code: int) -> int | str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs" or (category in {"Cc", "Cf"} and char not in "\t\n"):
        return " "
    if category == "Cs":
        return "?"  # half of a broken emoji, which nothing can encode
    base = unicodedata.normalize("NFD", char)[0]
    return base if base.isascii() else char


_TABLE = _FoldTable(_PLAIN)


def fold(text: str) -> str:
    """Plain quotes, hyphens, spaces, accents and line breaks; ``len(fold(t)) == len(t)``.

    >>> fold("don’t – naïve")
    "don't - naive"
    """
    # A CRLF pair is one line break: a blank and a newline keep both the length and the count.
    return text.replace("\r\n", " \n").translate(_TABLE)
