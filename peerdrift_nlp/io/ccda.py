"""C-CDA: the narrative of a clinical document of HL7 version 3, one note in each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.attachment import attachment_text, from_base64
from peerdrift_nlp.io.dates import hl7_date
from peerdrift_nlp.io.document import MAX_BYTES
from peerdrift_nlp.io.markup import TextParser
from peerdrift_nlp.io.sections import Section, outline
from peerdrift_nlp.io.table import NOTE_NAMES, Row, Table

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MEDIA_TYPES = ("application/hl7-v3+xml", "application/xml", "text/xml")
HEAD = 1 << 16
"""How many of its first bytes tell a C-CDA document: long comments may stand before its root."""

_V3 = "{urn:hl7-org:v3}"
_NAMESPACES = {"v3": "urn:hl7-org:v3", "sdtc": "urn:hl7-org:sdtc"}
_ROOT = re.compile(rb"<(?:[\w.-]+:)?ClinicalDocument[\s>]")
_AS_HTML = {"paragraph": "p", "list": "ul", "item": "li"}
_BREAKING = frozenset("br caption div item li list ol p paragraph table ul".split())
_HOLDERS = frozenset(("item", "li", "td", "th"))


def is_ccda(start: bytes) -> bool:
    """Whether a file with these first bytes is a C-CDA document, or is meant as one."""
    return _ROOT.search(start.replace(b"\0", b"")) is not None


def read_ccda(path: Path) -> Table:
    """Open a C-CDA document as a table of one note.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            row = ccda_row(path.name, path.stem, file.read(MAX_BYTES + 1))
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}") from None
    except NoteReadError as error:
        raise InputError(str(error)) from None
    return Table("ccda", "utf-8", NOTE_NAMES, lambda: iter([row]))


def ccda_row(where: str, name: str, data: bytes) -> Row:
    """A C-CDA document as a row of ``NOTE_NAMES``; ``name`` is its id where it has none.

    Raises:
        NoteReadError: it cannot be read.
    """
    root = _parsed(where, data)
    return Row(
        where,
        (
            "^".join(filter(None, (_attribute(root, "v3:id", part) for part in ("root", "extension")))) or name,
            _note(where, root),
            _author(root),
            hl7_date(_attribute(root, "v3:effectiveTime", "value")),
            _attribute(root, "sdtc:statusCode", "code"),
            _titled(root),
            _words(root, "v3:custodian/v3:assignedCustodian/v3:representedCustodianOrganization/v3:name"),
        ),
    )


def ccda_text(where: str, data: bytes) -> str:
    """The text of a C-CDA document.

    Raises:
        NoteReadError: it cannot be read.
    """
    return _note(where, _parsed(where, data))


def _parsed(where: str, data: bytes) -> Element:
    from lxml import etree

    if len(data) > MAX_BYTES:
        raise NoteReadError(where, f"is larger than {MAX_BYTES >> 20} MB: export it in parts")
    refused = NoteReadError(where, "has a DOCTYPE, which no C-CDA document needs: export it without")
    if _declares_doctype(data):
        raise refused
    # Nothing grows on reading: entities stay as they are, and the parser bounds texts, attributes and depth.
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise NoteReadError(
            where, f"is damaged XML, or a part of it is far too large (line {line}): export it again"
        ) from None
    if root.getroottree().docinfo.doctype:  # in some rare encoding
        raise refused
    if root.tag != f"{_V3}ClinicalDocument":
        raise NoteReadError(where, "is no C-CDA document (ClinicalDocument of urn:hl7-org:v3): export it as one")
    return root


def _declares_doctype(data: bytes) -> bool:
    """Whether there is a DOCTYPE before the root, in any usual encoding."""
    return b"<!DOCTYPE" in _ROOT.split(data.replace(b"\0", b""), maxsplit=1)[0]


def _note(where: str, root: Element) -> str:
    other = root.find("v3:component/v3:nonXMLBody/v3:text", _NAMESPACES)
    text = outline(list(_sections(root))) if other is None else _attached(where, other)
    if not text.strip():
        raise NoteReadError(where, "has no narrative (text of its sections): export it with narrative")
    return text


def _sections(root: Element) -> Iterator[Section]:
    """All sections in reading order."""
    body = root.find("v3:component/v3:structuredBody", _NAMESPACES)
    for section in body.iter(f"{_V3}section") if body is not None else ():
        depth = sum(1 for _ in section.iterancestors(f"{_V3}section"))
        text = section.find("v3:text", _NAMESPACES)
        yield Section(depth, _titled(section), _narrative(text) if text is not None else "")


def _narrative(text: Element) -> str:
    """The text of a section, with the line breaks that a browser would show.

    Where nothing in it breaks lines, its own line breaks are kept.
    """
    from lxml import etree

    parser = TextParser()
    if not any(_kind(element) in _BREAKING for element in text.iter()):
        parser.handle_starttag("pre", [])
    walk = etree.iterwalk(text, events=("start", "end"))
    for event, element in walk:
        tag = _AS_HTML.get(_kind(element), _kind(element))
        if event == "start" and element.get("revised") == "delete":
            walk.skip_subtree()
        elif event == "start":
            if not _begins(element):
                parser.handle_starttag(tag, [])
            parser.handle_data(element.text or "")
        else:
            if not _ends(element):
                parser.handle_endtag(tag)
            parser.handle_data(element.tail or "" if element is not text else "")
    return parser.text()


def _begins(element: Element) -> bool:
    """Whether an item or a cell begins with this paragraph, which then breaks no line of its own."""
    holder = _holder(element)
    return holder is not None and holder[0] is element and not (holder.text or "").strip()


def _ends(element: Element) -> bool:
    holder = _holder(element)
    return holder is not None and holder[-1] is element and not (element.tail or "").strip()


def _holder(element: Element) -> Element | None:
    """The item or cell that a paragraph is directly in."""
    parent = element.getparent()
    if parent is None or _kind(parent) not in _HOLDERS:
        return None
    return parent if _kind(element) in ("caption", "p", "paragraph") else None


def _attached(where: str, text: Element) -> str:
    """The text of a document without sections: it is inline, in base64 or as it is."""
    inline = "".join(text.itertext())
    if not inline.strip() and text.find("v3:reference", _NAMESPACES) is not None:
        raise NoteReadError(where, "its text is not in the file, only its address (reference): export with inline text")
    data = from_base64(where, inline) if text.get("representation") == "B64" else inline.encode()
    return attachment_text(where, text.get("mediaType", ""), data)


def _kind(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _author(root: Element) -> str:
    """The name of the first person among the authors, credentials behind a comma."""
    path = "v3:author/v3:assignedAuthor/v3:assignedPerson/v3:name"
    name, credentials = _words(root, path), _words(root, f"{path}/v3:suffix")
    return f"{name.removesuffix(credentials).rstrip(' ,')}, {credentials}" if credentials else name


def _titled(element: Element) -> str:
    return _words(element, "v3:title") or _attribute(element, "v3:code", "displayName")


def _words(element: Element, path: str) -> str:
    """The words of the first element at a path, however they are divided among its parts."""
    found = element.find(path, _NAMESPACES)
    return " ".join(" ".join(found.itertext()).split()) if found is not None else ""


def _attribute(element: Element, path: str, name: str) -> str:
    found = element.find(path, _NAMESPACES)
    return found.get(name, "").strip() if found is not None else ""
