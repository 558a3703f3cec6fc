"""The whole pipeline on one page: a note goes in, a report comes out. Read this first.

text        ``fold`` and ``split_sentences``: plain characters, units with offsets
rules       ``RuleEngine``: normal form, hits, stance
classifier  ``note_features`` and the model's probabilities, in batches across notes
report      ``Decider``: findings, strengths, look-alikes
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from joblib import Parallel, delayed

from peerdrift_nlp import __version__
from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, load_bundle
from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.evaluation import Judged, Verdict
from peerdrift_nlp.classifier.features import note_features
from peerdrift_nlp.classifier.linear import Floats
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.report.findings import Decider
from peerdrift_nlp.report.profile import DEFAULT, read_profile
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.normal import NormalText
from peerdrift_nlp.rules.pack import read_packs, shipped_packs
from peerdrift_nlp.taxonomy import LABELS
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Engine, Explanation, Hit, Note, NoteReport, Sentence

if TYPE_CHECKING:
    import pandas as pd

MAX_NOTE_CHARS = 1_000_000
_BATCH = 128
_CHUNK = 512
_LABEL_COLUMNS = slice(len(LABELS))


class ScannerSpec(NamedTuple):
    """What a scanner is made of: small, picklable, enough to make it again in another process."""

    model: str
    profile: str
    packs: tuple[str, ...]
    operating_point: str


class _Read(NamedTuple):
    """A note on its way through the stages."""

    note: Note
    folded: str
    sentences: list[Sentence]
    normal: NormalText
    hits: list[Hit]
    rows: list[list[str]]


class Scanner:
    """Reads peer session notes and reports drift, strengths and look-alikes.

    Making one loads rules and model (a second or so); keep it. It can be shared between threads,
    each of which gets an engine of its own, and pickled, as its spec.

    Args:
        model: a bundle folder, or "default" for the shipped one.
        profile: a policy profile: a shipped one's name, or a TOML file.
        packs: further rule packs (TOML files) beside the shipped ones.
        operating_point: "careful" (few flags, nearly all right), "balanced" or "thorough".

    Raises:
        UsageError: an unknown operating point.
        RulePackError, ProfileError, BundleError: a file that will not do, with what to mend.
    """

    def __init__(
        self,
        *,
        model: str | Path = "default",
        profile: str | Path = DEFAULT,
        packs: Sequence[str | Path] = (),
        operating_point: str = "balanced",
    ) -> None:
        if operating_point not in OPERATING_POINTS:
            raise UsageError(f"operating point {operating_point!r}; use one of {', '.join(OPERATING_POINTS)}")
        self.spec = ScannerSpec(str(model), str(profile), tuple(map(str, packs)), operating_point)
        self.bundle = load_bundle(default_model() if model == "default" else Path(model))
        self.profile = read_profile(profile)
        self._packs = read_packs([*shipped_packs(), *map(Path, packs)])
        self._local = threading.local()
        rules = {rule.id: rule for pack in self._packs for rule in pack.rules}
        self._decider = Decider(self.bundle, rules, self.profile, operating_point)
        self.engine = Engine(
            version=__version__,
            model=self.bundle.version,
            profile=self.profile.name,
            packs={pack.name: pack.sha256[:12] for pack in self._packs},
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _scanner_from, (self.spec,)

    @property
    def rules(self) -> RuleEngine:
        """This thread's rule engine."""
        engine: RuleEngine | None = getattr(self._local, "rules", None)
        if engine is None:
            engine = self._local.rules = RuleEngine(self._packs)
        return engine

    def scan(self, text: str, *, note_id: str = "", **meta: str) -> NoteReport:
        """Scan one note.

        Args:
            text: the note as it stands in the record; offsets of the report are into it.
            note_id: any identifier.
            **meta: worker, program, date (ISO) and so on, carried into the report.

        Returns:
            The report; ``status`` is "failed" with a problem where the note could not be scanned.
        """
        return self._scan_batch([Note(note_id, text, meta)])[0]

    def scan_many(self, notes: Iterable[Note | tuple[str, str]], *, jobs: int = 1) -> Iterator[NoteReport]:
        """Scan notes lazily, in input order.

        Args:
            notes: ``Note`` objects or ``(note_id, text)`` pairs, read as they are needed.
            jobs: processes; more than one pays from some thousand notes on.
        """
        stream = (note if isinstance(note, Note) else Note(*note) for note in notes)
        if jobs == 1:
            for batch in _batches(stream, _BATCH):
                yield from self._scan_batch(batch)
        else:
            chunks = (delayed(_scan_chunk)(self.spec, chunk) for chunk in _batches(stream, _CHUNK))
            for reports in Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs")(chunks):
                yield from reports

    def scan_frame(self, frame: pd.DataFrame, *, text: str, id: str | None = None, jobs: int = 1) -> pd.DataFrame:
        """Scan a column of a pandas frame.

        Args:
            frame: one note a row.
            text: the column that holds the notes; missing values count as empty notes.
            id: the column with note ids; the index is used without it.
            jobs: processes.

        Returns:
            One row a finding: ``note_id, label, indicator, locus, severity, probability, start, end,
            origin, reason, question``.

        Raises:
            UsageError: a column that the frame does not have.
        """
        import pandas as pd

        for column in (text, id):
            if column is not None and column not in frame.columns:
                raise UsageError(f"no column {column!r}; the frame has {', '.join(map(str, frame.columns))}")
        ids = frame.index if id is None else frame[id]
        texts = frame[text].fillna("").astype(str)
        fields = ["label", "indicator", "locus", "severity", "probability", "start", "end", "origin", "reason", "question"]
        rows = [
            [report.note_id, *(getattr(finding, name) for name in fields)]
            for report in self.scan_many(((str(key), value) for key, value in zip(ids, texts, strict=True)), jobs=jobs)
            for finding in report.findings
        ]
        return pd.DataFrame(rows, columns=["note_id", *fields])

    def explain(self, text: str) -> tuple[NoteReport, list[Explanation]]:
        """The report on a note and, for each of its sentences, what led to it.

        Raises:
            UsageError: the note is too long.
        """
        read = self._read(Note("", text))
        if read is None:
            raise UsageError(f"a note longer than {MAX_NOTE_CHARS:,} characters; split it")
        model = self.bundle.model
        scores = model.probabilities(read.rows, _LABEL_COLUMNS)
        explanations = [
            Explanation(
                sentence=sentence,
                hits=tuple(hit for hit in read.hits if hit.sentence == number),
                probabilities={label: float(scores[number, column]) for column, label in enumerate(LABELS)},
                features={label: _heaviest(model.weights(read.rows[number], label)) for label in LABELS},
            )
            for number, sentence in enumerate(read.sentences)
        ]
        return self._report(read, scores), explanations

    def judge(self, notes: Iterable[LabelledNote]) -> Iterator[Judged]:
        """The verdicts on labelled notes, on their hand-made sentences; headings are left out."""
        for note in notes:
            read = self._read(Note(note.note_id, note.text), note.spans())
            if read is None:
                raise UsageError(f"labelled note {note.note_id} is longer than {MAX_NOTE_CHARS:,} characters")
            scores = self.bundle.model.probabilities(read.rows, _LABEL_COLUMNS)
            report = self._report(read, scores)
            flagged: dict[int, set[str]] = {}
            for finding in report.findings:
                flagged.setdefault(finding.sentence.start, set()).add(finding.indicator)
            strong = {strength.start for strength in report.strengths}
            for number, unit in enumerate(note.sentences):
                if unit.kind == "sentence":
                    probabilities = tuple(scores[number].tolist())
                    verdict = Verdict(frozenset(flagged.get(unit.start, ())), unit.start in strong, probabilities)
                    yield Judged(note, unit, verdict)

    def _scan_batch(self, notes: Sequence[Note]) -> list[NoteReport]:
        reads = [self._read(note) for note in notes]
        rows = [row for read in reads if read for row in read.rows]
        scores = self.bundle.model.probabilities(rows, _LABEL_COLUMNS)
        reports: list[NoteReport] = []
        begin = 0
        for note, read in zip(notes, reads, strict=True):
            if read is None:
                reports.append(self._failed(note))
                continue
            reports.append(self._report(read, scores[begin : begin + len(read.rows)]))
            begin += len(read.rows)
        return reports

    def _read(self, note: Note, sentences: list[Sentence] | None = None) -> _Read | None:
        if len(note.text) > MAX_NOTE_CHARS:
            return None
        folded = fold(note.text)
        sentences = split_sentences(folded) if sentences is None else sentences
        normal = self.rules.normalise(folded, sentences)
        hits = self._decider.apply_policies(self.rules.find(normal, sentences), folded)
        return _Read(note, folded, sentences, normal, hits, note_features(normal, sentences, hits))

    def _report(self, read: _Read, scores: Floats) -> NoteReport:
        findings, strengths, look_alikes = self._decider.decide(read.normal, read.sentences, read.hits, read.rows, scores)
        return NoteReport(
            note_id=read.note.note_id,
            status="complete",
            engine=self.engine,
            meta=read.note.meta,
            findings=findings,
            strengths=strengths,
            look_alikes=look_alikes,
            sentences=tuple(read.sentences),
            text=read.note.text,
        )

    def _failed(self, note: Note) -> NoteReport:
        problem = f"longer than {MAX_NOTE_CHARS:,} characters; split it into its notes"
        return NoteReport(note.note_id, "failed", self.engine, (problem,), note.meta)


def default_model() -> Path:
    """The folder of the shipped model: in the wheel, or in a checkout's ``models/default``."""
    packaged = Path(str(resources.files("peerdrift_nlp"))) / "models" / "default"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "models" / "default"


def _heaviest(weights: Mapping[str, float], most: int = 5) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(weights.items(), key=lambda item: -abs(item[1]))[:most])


def _batches(notes: Iterable[Note], size: int) -> Iterator[list[Note]]:
    stream = iter(notes)
    while batch := list(islice(stream, size)):
        yield batch


@lru_cache(maxsize=2)
def _scanner_from(spec: ScannerSpec) -> Scanner:
    return Scanner(
        model=spec.model, profile=spec.profile, packs=spec.packs, operating_point=spec.operating_point
    )


def _scan_chunk(spec: ScannerSpec, notes: Sequence[Note]) -> list[NoteReport]:
    return _scanner_from(spec)._scan_batch(notes)
