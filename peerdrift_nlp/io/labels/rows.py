"""The one stream that the labels of every tool become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from peerdrift_nlp.errors import Problem
from peerdrift_nlp.io.columns import ALIASES, normal, recognise
from peerdrift_nlp.io.labels.names import LabelNames
from peerdrift_nlp.types import Span

NEAR = "note_start"
"""The field in which a queue remembers where in its note a sentence began."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """What one annotator said of one stretch of text, or of a text as a whole.

    Attributes:
        where: file and line, row or task, for messages.
        annotator: whoever said it.
        present: tags that stand (see ``LabelNames``).
        absent: labels and indicators that do not.
        complete: everything that is not in ``present`` was judged, too, and does not stand.
        note_id: the note, where the tool was told.
        text: what was shown: a whole note or a part of it; "" if offsets are into the note itself.
        span: the stretch of ``text``, as the tool counts; None for all of it.
        quote: the words that stand there, where the tool says them.
        near: where in the note the text began when it was handed out; -1 if not known.
        through: the text was read to its end, so that what carries no label carries nothing.
    """

    where: str
    annotator: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    complete: bool = True
    note_id: str = ""
    text: str = field(default="", repr=False)
    span: Span | None = None
    quote: str = field(default="", repr=False)
    near: int = -1
    through: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether it says only that the annotator was done with the text."""
        return self.complete and not self.present and not self.absent


class Reading:
    """One file of labels on its way in: its rows, its problems, and what was left out on purpose."""

    def __init__(self, name: str, names: LabelNames, fields: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.names = names
        self.fields = dict(fields or {})
        self.rows: list[LabelRow] = []
        self.problems: list[Problem] = []
        self.left_out: Counter[str] = Counter()

    def problem(self, place: int, what: str) -> None:
        """Note what is wrong at a line, row or task."""
        self.problems.append(Problem(self.name, place, what))

    def tags(self, place: int, said: Iterable[object]) -> tuple[str, ...]:
        """The codebook's tags; unknown ones become problems."""
        found = []
        for name in said:
            try:
                found.append(self.names.tag(name))
            except ValueError as error:
                self.problem(place, str(error))
        return tuple(dict.fromkeys(found))

    def where(self, place: int) -> str:
        """File and line, row or task."""
        return f"{self.name}:{place}"


@dataclass(frozen=True, slots=True)
class Shown:
    """The text that a tool showed to an annotator, and what it knew of its origin."""

    text: str
    note_id: str
    near: int


def shown(data: Mapping[str, Any], fields: Mapping[str, str], *, own_id: bool = False) -> Shown:
    """Which of an object's entries is the text, and which names the note.

    Args:
        data: the object, with whatever the notes' owner put beside the text (a ``meta`` object is looked into).
        fields: field to entry, for names that are not known.
        own_id: ``id`` is the owner's; otherwise it is the tool's number and says nothing.

    Raises:
        ValueError: no entry can be the text.
    """
    meta = data.get("meta")
    flat = {**(meta if isinstance(meta, dict) else {}), **data}
    texts = [key for key, value in flat.items() if isinstance(value, str)]
    text = recognise(texts, {key: name for key, name in fields.items() if key == "text"}).get("text") or next(
        (key for key in texts if normal(key) in ("sentence", "excerpt")), None
    )
    if text is None:
        raise ValueError(f"no entry looks like the text (looked for {', '.join(ALIASES['text'][:4])}, ...)")
    ids = [key for key, value in flat.items() if isinstance(value, str | int) and (own_id or key != "id")]
    named = recognise(ids, {key: name for key, name in fields.items() if key == "note_id"}).get("note_id")
    near = flat.get(NEAR, -1)
    try:
        near = int(near)
    except (TypeError, ValueError):
        near = -1
    return Shown(flat[text], str(flat[named]).strip() if named else "", near)


def span_of(start: object, end: object) -> Span:
    """Offsets as a span.

    Raises:
        ValueError: they are none.
    """
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise ValueError("start and end of a label must be whole numbers, start before end")
    return Span(start, end)
