"""FHIR R4: the notes of DocumentReference and Composition resources, in a Bundle or one resource a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from peerdrift_nlp.errors import InputError, NoteReadError
from peerdrift_nlp.io.attachment import DOCUMENTS, TEXTS, attachment_text, from_base64, media_type, unknown_type
from peerdrift_nlp.io.ccda import MEDIA_TYPES, ccda_text
from peerdrift_nlp.io.markup import html_text
from peerdrift_nlp.io.sections import Section, outline
from peerdrift_nlp.io.table import NOTE_NAMES, Record, Row, Table

Located = tuple[str, dict[str, object]] | NoteReadError | None
"""A JSON object with its place, one that cannot be read, or ``None`` for a blank line."""

_RANKS = (*TEXTS, *MEDIA_TYPES, *DOCUMENTS)
"""The types of attachments that can be read, the plainest first."""

_READ = ("Binary", "Composition", "DocumentReference")
_NO_WORKERS = ("Device", "Organization", "Patient", "RelatedPerson")
_LEFT_OUT = ("entered-in-error", "superseded")


class _Entry(NamedTuple):
    """A resource with its place, and the address that its Bundle gives for it, if any."""

    where: str
    full_url: str
    resource: object

    @property
    def kind(self) -> str:
        return _text(self.resource, "resourceType")

    @property
    def addresses(self) -> set[str]:
        """What others may call it; an absolute address is that of one server, so it must be the Bundle's own."""
        relative = f"{self.kind}/{name}" if (name := _text(self.resource, "id")) else ""
        return {self.full_url, relative} - {""}


def read_fhir(name: str, encoding: str, notices: list[str], objects: Callable[[], Iterator[Located]]) -> Table:
    """The DocumentReferences and Compositions among ``objects`` as a table; other resources are counted in a notice.

    A DocumentReference in several formats is one row: its plainest is read. Where an attachment has an address and no
    text, the Binary of that address in the same Bundle is read; so are the names of authors and custodians.

    Raises:
        InputError: neither.
    """
    found: list[str] = []

    def rows() -> Iterator[Record]:
        others: Counter[str] = Counter()
        unnamed = 0
        for item in objects():
            if not isinstance(item, tuple):
                yield item
                continue
            entries = list(_entries(*item))
            binaries = [entry for entry in entries if entry.kind == "Binary"]
            documents = [entry for entry in entries if entry.kind == "DocumentReference"]
            by_address = _by_address(entries)
            for entry in entries:
                if entry.kind == "DocumentReference":
                    yield _reference(entry.where, entry.resource, by_address)
                elif entry.kind == "Composition":
                    yield _composition(entry.where, entry.resource, by_address)
            named = {_url(attachment) for document in documents for attachment in _attachments(document.resource)}
            unnamed += sum(named.isdisjoint(binary.addresses) for binary in binaries)
            others.update(entry.kind or "empty" for entry in entries if entry.kind not in _READ)
        if others:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(others.items()))
            found.append(f"not read, because they are no DocumentReference or Composition: {kinds}")
        if unnamed:
            found.append(f"not read, because no DocumentReference of the same Bundle names them: {unnamed:,} Binary")

    if next(rows(), None) is None:
        raise InputError(
            f"{name} holds no DocumentReference and no Composition: "
            "export the notes as DocumentReference with inline text, or as Composition with narrative"
        )
    return Table("fhir", encoding, NOTE_NAMES, rows, notices, found)


def _entries(where: str, value: dict[str, object]) -> Iterator[_Entry]:
    """A resource itself, or what a Bundle holds."""
    entries = value.get("entry")
    if value.get("resourceType") != "Bundle" or not isinstance(entries, list):
        yield _Entry(where, "", value)
        return
    for number, entry in enumerate(entries, start=1):
        yield _Entry(f"{where}, entry {number}", _text(entry, "fullUrl"), _at(entry, "resource"))


def _by_address(entries: list[_Entry]) -> dict[str, object]:
    """The resources of a Bundle that can be read, by address; what an address leaves open is not among them."""
    found: dict[str, object] = {}
    unclear = set()
    for entry in entries:
        if entry.kind == "Binary" and not _text(entry.resource, "data"):
            continue
        for address in entry.addresses:
            if found.setdefault(address, entry.resource) != entry.resource:
                unclear.add(address)
    return {address: resource for address, resource in found.items() if address not in unclear}


def _attachments(resource: object) -> list[object]:
    return [_at(content, "attachment") for content in _list(resource, "content")]


def _url(value: object, key: str = "url") -> str:
    """The address that an attachment or a reference gives, whatever version it names."""
    return _text(value, key).partition("/_history/")[0]


def _with_data(attachment: object, by_address: Mapping[str, object]) -> object:
    """An attachment as it is or, where it only has an address, with the data of the Binary there."""
    binary = by_address.get(_url(attachment))
    if _text(attachment, "data") or not _text(binary, "data"):
        return attachment
    kind = _text(attachment, "contentType") or _text(binary, "contentType")
    return {"contentType": kind, "data": _text(binary, "data")}


def _reference(where: str, resource: object, by_address: Mapping[str, object]) -> Row | NoteReadError:
    status, of_document = _text(resource, "status"), _text(resource, "docStatus")
    status = status if status in _LEFT_OUT else of_document or status
    try:
        # What is to be left out need not be readable.
        text = _note(where, resource, by_address) if status not in _LEFT_OUT else "-"
    except NoteReadError as error:
        return error
    return Row(
        where,
        (
            _first(resource, ("id",), ("masterIdentifier", "value"), ("identifier", 0, "value")),
            text,
            _author(resource, by_address),
            _first(resource, ("date",), ("context", "period", "start")),
            status,
            _first(resource, ("context", "event", 0, "text"), ("type", "text"), ("type", "coding", 0, "display")),
            _text(resource, "context", "practiceSetting", "text") or _custodian(resource, by_address),
        ),
    )


def _note(where: str, resource: object, by_address: Mapping[str, object]) -> str:
    """The text of the plainest attachment that is in the file."""
    attachments = [_with_data(attachment, by_address) for attachment in _attachments(resource)]
    inline = [attachment for attachment in attachments if _text(attachment, "data")]
    known = [attachment for attachment in inline if _type(attachment) in _RANKS]
    if known:
        return _decoded(where, min(known, key=lambda attachment: _RANKS.index(_type(attachment))))
    if inline:
        raise unknown_type(where, _RANKS)
    if any(_text(attachment, "url") for attachment in attachments):
        raise NoteReadError(where, "its text is not in the file, only its address (url): export with inline text")
    raise NoteReadError(where, "has no attachment with text: export with inline text")


def _decoded(where: str, attachment: object) -> str:
    data = from_base64(where, _text(attachment, "data"))
    if _type(attachment) in MEDIA_TYPES:
        return ccda_text(where, data)
    return attachment_text(where, _text(attachment, "contentType"), data)


def _type(attachment: object) -> str:
    return media_type(_text(attachment, "contentType"))[0]


def _composition(where: str, resource: object, by_address: Mapping[str, object]) -> Row | NoteReadError:
    status = _text(resource, "status")
    text = outline(list(_sections(resource))) or html_text(_text(resource, "text", "div"))
    if not text and status not in _LEFT_OUT:
        return NoteReadError(where, "has no narrative (section.text.div or text.div): export with narrative")
    return Row(
        where,
        (
            _first(resource, ("id",), ("identifier", "value")),
            text or "-",
            _author(resource, by_address),
            _text(resource, "date"),
            status,
            _first(resource, ("title",), ("type", "text"), ("type", "coding", 0, "display")),
            _custodian(resource, by_address),
        ),
    )


def _author(resource: object, by_address: Mapping[str, object]) -> str:
    """The first author that may be a worker: the name, or the address where the name is not in the file."""
    subject = _url(_at(resource, "subject"), "reference")
    for author in _list(resource, "author"):
        address = _url(author, "reference")
        found = _named(author, resource, by_address)
        if (address and address == subject) or _kind(author, found) in _NO_WORKERS:
            continue
        names = (
            _text(author, "display"),
            _text(found, "practitioner", "display"),
            _name(found) or _name(_practitioner(found, resource if address.startswith("#") else found, by_address)),
            address if "?" not in address else "",  # a search may hold numbers of the person
        )
        return next(filter(None, map(str.strip, names)), "")
    return ""


def _kind(reference: object, found: object) -> str:
    """The type of what is referred to: that of the resource, or what the reference says of it."""
    path, search, _ = _url(reference, "reference").partition("?")
    in_path = (path if search else path.rpartition("/")[0]).rpartition("/")[2]
    return _text(found, "resourceType") or _text(reference, "type").rpartition("/")[2] or in_path


def _practitioner(role: object, holder: object, by_address: Mapping[str, object]) -> object:
    """The person of a PractitionerRole; ``holder`` is the resource that contains what it refers to."""
    found = _named(_at(role, "practitioner"), holder, by_address)
    return found if _text(found, "resourceType") == "Practitioner" else None


def _custodian(resource: object, by_address: Mapping[str, object]) -> str:
    custodian = _at(resource, "custodian")
    return _text(custodian, "display") or _text(_named(custodian, resource, by_address), "name")


def _named(reference: object, resource: object, by_address: Mapping[str, object]) -> object:
    """The resource that a reference names, where it is within the other or in its Bundle."""
    address = _url(reference, "reference")
    within = {f"#{_text(one, 'id')}": one for one in _list(resource, "contained")}
    return within.get(address) or by_address.get(address)


def _name(person: object) -> str:
    """The first name that is in use."""
    names = sorted(_list(person, "name"), key=lambda name: _text(name, "use") in ("anonymous", "maiden", "old"))
    return next(filter(None, map(_spelled, names)), "")


def _spelled(name: object) -> str:
    """A name as text: given name, family name, suffix."""
    words = [word for word in (*_list(name, "given"), _text(name, "family")) if isinstance(word, str)]
    suffix = " ".join(word for word in _list(name, "suffix") if isinstance(word, str))
    return _text(name, "text") or ", ".join(filter(None, (" ".join(words).strip(), suffix)))


def _sections(resource: object) -> Iterator[Section]:
    """All sections in reading order, however deep they lie."""
    waiting = [(0, section) for section in reversed(_list(resource, "section"))]
    while waiting:
        depth, section = waiting.pop()
        title = _first(section, ("title",), ("code", "text"), ("code", "coding", 0, "display"))
        yield Section(depth, title, html_text(_text(section, "text", "div")))
        waiting += [(depth + 1, inner) for inner in reversed(_list(section, "section"))]


def _at(value: object, *path: str | int) -> object:
    """What is at a path of keys and places, ``None`` where it leads nowhere."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: object, *path: str | int) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) else ""


def _list(value: object, key: str) -> list[object]:
    found = _at(value, key)
    return found if isinstance(found, list) else []


def _first(value: object, *paths: tuple[str | int, ...]) -> str:
    """The first of some paths that leads to a text."""
    return next((found for path in paths if (found := _text(value, *path))), "")
