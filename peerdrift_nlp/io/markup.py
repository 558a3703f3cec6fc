"""Markup inside cells and files: HTML and RTF as the plain text that a reader would see."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser

from peerdrift_nlp.errors import NoteReadError

_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr html main nav ol p pre section table tbody tfoot thead tr ul".split()
)
_INLINE = frozenset("a b big br em font i img li s small span strike strong sub sup td th u".split())
_HIDDEN = frozenset(("script", "style", "title"))
_TAG = re.compile(
    r"</?(?:" + "|".join(sorted(_BLOCKS | _INLINE | _HIDDEN)) + r")(?:\s[^<>]*)?/?>|<!doctype html", re.IGNORECASE
)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|bull|hellip|[nm]dash|[lr][sd]quo|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE
)
_RTF = "{\\rtf"
_SPACES = re.compile(r"[ \t\r\n\f]+")


class TextParser(HTMLParser):
    """Takes HTML in pieces and collects its text, with the line breaks that a browser would show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._verbatim = 0
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Break the line before a block."""
        self._hidden += tag in _HIDDEN
        self._verbatim += tag == "pre"
        if tag == "li":
            self.write("\n- ")
        elif tag in ("td", "th"):
            self.write("\t")
        elif tag == "br" or tag in _BLOCKS:
            self.write("\n")

    def handle_endtag(self, tag: str) -> None:
        """Break the line after a block; a paragraph is set off by a blank line."""
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        if tag in _BLOCKS:
            self.write("\n\n" if tag == "p" else "\n")

    def handle_data(self, data: str) -> None:
        """Collect what is shown; line breaks of the source are blanks."""
        if not self._hidden:
            self.write(data if self._verbatim else _SPACES.sub(" ", data))

    def write(self, text: str) -> None:
        """Take a piece of the text."""
        self._parts.append(text)

    def text(self) -> str:
        """What has been collected, as tidy lines."""
        return tidy("".join(self._parts))


def tidy(text: str) -> str:
    """``text`` without blanks around line breaks, and with one blank line at most."""
    text = "\n".join(line.strip(" \t") for line in re.sub(r" {2,}", " ", text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip(" \t\r\n")


def plain_text(where: str, text: str) -> tuple[str, str]:
    """The plain text of a note, and the markup that it was in: "HTML", "RTF", or "" for none.

    A note without markup comes back untouched. ``<3`` and the like are no markup.

    Raises:
        NoteReadError: RTF that cannot be read.
    """
    if text.lstrip("\ufeff \t\r\n").startswith(_RTF):
        return rtf_text(where, text), "RTF"
    if "<" in text and _TAG.search(text):
        return html_text(text), "HTML"
    if "&" in text and _ENTITY.search(text):
        unescaped = html.unescape(text)
        return html_text(unescaped) if _TAG.search(unescaped) else unescaped, "HTML"
    return text, ""


def told(counts: Mapping[str, int]) -> list[str]:
    """What to say of how many notes were in which markup."""
    return [
        f"{count:,} notes in {kind} read as plain text; offsets of reports are into that text"
        for kind, count in sorted(counts.items())
    ]


def html_text(text: str) -> str:
    """The text of HTML. Where it has no tag that breaks lines, its own line breaks are kept."""
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z]+[1-6]?)", text)}
    if not tags & (_BLOCKS | {"br", "li"}):
        text = re.sub(r"\r\n?|\n", "<br>", text)
    parser = TextParser()
    feed(parser, text)
    return parser.text()


def feed(parser: HTMLParser, text: str) -> None:
    """Let ``parser`` read the whole of ``text``, without comments and declarations.

    What is no tag is escaped first: on a run of broken ones the parser takes time that grows with the square.
    """
    closed, mark, rest = text.rpartition("-->")
    text = re.sub(r"<!--.*?-->", "", closed + mark, flags=re.DOTALL) + rest.replace("<!--", "")
    text = re.sub(r"<[!?][^<>]*>", "", text)
    parser.feed(re.sub(r"<(?!/?[a-zA-Z][^<>]*>)", "&lt;", text))
    parser.close()


def rtf_text(where: str, text: str) -> str:
    """The text of an RTF document.

    Raises:
        NoteReadError: it cannot be read.
    """
    from striprtf.striprtf import rtf_to_text

    try:
        found: str = rtf_to_text(text.lstrip("\ufeff \t\r\n"), errors="replace")  # type: ignore[no-untyped-call]
    except Exception:  # the library has no error of its own, and Python's differ from version to version
        raise NoteReadError(where, "holds RTF that cannot be read; export the note as plain text") from None
    return tidy(found)
