"""What people call a label, turned into the codebook's names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from peerdrift_nlp.taxonomy import LABELS, ROLE_CONSISTENT, taxonomy

NOTHING = "none"
"""Said of a sentence that was read and carries nothing."""
UNSURE = "unsure"
"""Said of a sentence of which the annotator could not tell; it stays unread."""
DECOY = "!"

_NOTHING = ("none", "nothing", "no_drift", "no_label", "clean", "negative", "neutral")
_UNSURE = ("unsure", "unclear", "not_sure", "skip")
_SEVERITY = re.compile(r"(.+)/([123])")
# What is longer, or has more words, may be a note's text in the wrong column: no message quotes it.
_QUOTABLE = re.compile(r"[\w.+~/!-]{1,40}( [\w.+~/!-]{1,20}){0,2}")


class LabelNames:
    """Reads labels, indicators, practices and look-alike reasons as people write them.

    A name comes out as a *tag*: ``clinical``, ``clinical.medication``, ``clinical.medication/3`` (with a severity),
    ``+hope`` (a practice), ``~declined`` (a look-alike reason), ``!`` (a decoy), ``NOTHING`` or ``UNSURE``.

    Args:
        synonyms: an agency's own names, each with the codebook's.

    Raises:
        ValueError: a synonym of something that the codebook does not know.
    """

    def __init__(self, synonyms: Mapping[str, str] | None = None) -> None:
        codebook = taxonomy()
        self._tags = {name: name for name in (*LABELS, *codebook.indicators)}
        both = codebook.practices.keys() & codebook.reasons.keys()
        for practice in codebook.practices:
            self._tags |= dict.fromkeys((f"+{practice}", f"{ROLE_CONSISTENT}.{practice}"), f"+{practice}")
        self._tags |= {f"~{reason}": f"~{reason}" for reason in codebook.reasons}
        self._tags |= {name: f"+{name}" for name in codebook.practices if name not in both}
        self._tags |= {name: f"~{name}" for name in codebook.reasons if name not in both}
        self._tags |= dict.fromkeys(_NOTHING, NOTHING) | dict.fromkeys(_UNSURE, UNSURE) | {DECOY: DECOY}
        self._ambiguous = both
        for theirs, ours in (synonyms or {}).items():
            self._tags[_plain(theirs)] = self.tag(ours)

    def tag(self, said: object) -> str:
        """The codebook's tag for a name as somebody wrote it.

        Raises:
            ValueError: an unknown name, with the nearest that is known.
        """
        name = _plain(said) if isinstance(said, str) else ""
        graded = _SEVERITY.fullmatch(name)
        tag = self._tags.get(graded[1] if graded else name)
        if tag is None:
            raise ValueError(self._unknown(said, name))
        if graded and "." not in tag:
            raise ValueError(f"only an indicator has a severity, not {tag!r}")
        return f"{tag}/{graded[2]}" if graded else tag

    def marks(self, said: str) -> bool:
        """Whether ``said``, met where it need not be a label at all, can only be one.

        "Hope" may be a program and "History" a column of text, so practices and reasons need their mark.
        """
        name = _plain(said)
        marked = name.startswith(("+", "~", f"{ROLE_CONSISTENT}."))
        return name in self._tags and (marked or self._tags[name] in (*LABELS, *taxonomy().indicators))

    def _unknown(self, said: object, name: str) -> str:
        if not isinstance(said, str) or not _QUOTABLE.fullmatch(said.strip()):
            return "a label that is none of the codebook's names (not shown: it could be text of a note)"
        if name in self._ambiguous:
            return f"label {said!r} is a practice and a look-alike reason: write '+{name}' or '~{name}'"
        by_last = {known.rpartition(".")[2]: known for known in self._tags}
        near = get_close_matches(name, [*self._tags, *by_last], n=1)
        hint = f"did you mean {by_last.get(near[0], near[0])!r}?" if near else "say what it is with --name THEIRS=OURS"
        return f"unknown label {said!r}; {hint}"


def _plain(said: str) -> str:
    return re.sub(r"[\s_-]+", "_", said.strip().casefold())
