"""The whole pipeline on one page: a note goes in, a report comes out. Read this first.

text        ``fold`` and ``split_sentences``: plain characters, units with offsets
rules       ``RuleEngine``: normal form, hits, stance
classifier  ``other_features`` and ``Scorer``: the model's probabilities; ``Cascade``: open sentences read again;
            ``WholeNote``: each weighed with the others of its note
report      ``Policies`` and ``Suppressor``: what the program's profile allows and leaves out;
            ``Decider``: findings, strengths, look-alikes
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from joblib import Parallel

from peerdrift_nlp import __version__
from peerdrift_nlp.classifier.bundle import OPERATING_POINTS, Bundle
from peerdrift_nlp.classifier.corpus import LabelledNote
from peerdrift_nlp.classifier.evaluation import Judged, Verdict
from peerdrift_nlp.classifier.features import note_rows, other_features
from peerdrift_nlp.classifier.linear import Floats
from peerdrift_nlp.classifier.scorer import Features, Scorer
from peerdrift_nlp.classifier.shipped import SHIPPED, load_model
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.garbage import collector_at_rest
from peerdrift_nlp.processes import spread
from peerdrift_nlp.report.findings import Decider
from peerdrift_nlp.report.policies import Policies
from peerdrift_nlp.report.profile import DEFAULT, read_profile
from peerdrift_nlp.report.suppress import Suppressor, read_suppressions
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.rules.normal import NormalBatch
from peerdrift_nlp.rules.pack import read_packs, shipped_packs
from peerdrift_nlp.taxonomy import LABELS
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import MAX_NOTE_CHARS, Engine, Explanation, Hit, Note, NoteReport, Sentence

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrameT

_LOG = logging.getLogger(__name__)
_BATCH = 256
_CHUNK = 512
_WINDOW = 2


class ScannerSpec(NamedTuple):
    """What a scanner is made of: small, picklable, enough to make it again in another process.

    ``fingerprint`` tells a scanner from one of the same files with other contents.
    """

    model: str
    profile: str
    packs: tuple[str, ...]
    suppress: tuple[str, ...]
    operating_point: str
    max_chars: int
    max_seconds: float | None
    fingerprint: str


class _Batch(NamedTuple):
    """Notes on their way through the stages, in parallel columns."""

    notes: list[Note]
    sentences: list[list[Sentence]]
    normal: NormalBatch
    hits: list[list[Hit]]
    scores: Floats
    features: Features


class _LateError(Exception):
    """The time of a note is over."""


class _Engine(threading.local):
    """What each thread has for itself: a rule engine, the model bound to its vocabulary, and when to stop."""

    rules: RuleEngine
    scorer: Scorer
    vocabulary: object = None
    deadline: float = math.inf


class Scanner:
    """Reads peer session notes and reports drift, strengths and look-alikes.

    Making one loads rules and model (a second or so); keep it. It can be shared between threads,
    each of which makes an engine of its own (keep a pool), and pickled, as its spec. It logs ids and counts to
    the logger ``peerdrift_nlp.scanner``: at INFO each note with a problem, at DEBUG each batch.

    Args:
        model: a bundle folder, a shipped one ("default" reads open sentences twice, "fast" does not), or
            "adopted", the one that ``peerdrift adopt`` made the model in use.
        profile: a policy profile: a shipped one's name, or a TOML file.
        packs: further rule packs (TOML files) beside the shipped ones; what their rules find is reported
            whatever the model says, unless a stance clears it.
        suppress: files of suppressions (TOML) beside those of the profile; they hold as of today.
        operating_point: "careful" (few flags, nearly all right), "balanced" or "thorough".
        max_chars: a longer note is not scanned, and its report says so. The time that a note takes grows with
            its length and, where the model reads open sentences twice, with their number; so this bounds it.
        max_seconds: a note that takes longer has a report that says so, too. It is for hosts that answer while somebody
            waits: the clock is looked at between stages and between second readings, so a stage that has begun
            ends; notes are read one at a time, which is slower; and which notes fail depends on the machine's load.

    Raises:
        UsageError: an unknown operating point, a ``max_chars`` below 1, a ``max_seconds`` that is not above 0,
            or no adopted model.
        RulePackError, ProfileError, BundleError: a file that will not do, with what to mend.
    """

    def __init__(
        self,
        *,
        model: str | Path = "default",
        profile: str | Path = DEFAULT,
        packs: Sequence[str | Path] = (),
        suppress: Sequence[str | Path] = (),
        operating_point: str = "balanced",
        max_chars: int = MAX_NOTE_CHARS,
        max_seconds: float | None = None,
    ) -> None:
        if operating_point not in OPERATING_POINTS:
            raise UsageError(f"operating point {operating_point!r}; use one of {', '.join(OPERATING_POINTS)}")
        if not isinstance(max_chars, int) or max_chars < 1:
            raise UsageError(f"max_chars is {max_chars!r}; the shortest limit is 1")
        if max_seconds is not None and not max_seconds > 0:
            raise UsageError(f"max_seconds is {max_seconds}; give seconds above 0, or None for no limit")
        for name, paths in {"packs": packs, "suppress": suppress}.items():
            if isinstance(paths, (str, Path)):
                raise UsageError(f"{name} is one path; give a list of paths")
        self.max_chars = max_chars
        self.max_seconds = max_seconds
        folder, self.bundle = load_model(model)
        self.profile = read_profile(profile)
        listed = [item for path in suppress for item in read_suppressions(path)]
        self.suppressions = tuple(dict.fromkeys([*self.profile.suppressions, *listed]))
        self._packs = read_packs([*shipped_packs(), *map(Path, packs)])
        allowed, rest = self.profile.allows, replace(self.profile, allowed=frozenset())  # a set has no fixed order
        packs_read = [pack.sha256 for pack in self._packs]
        fingerprint = f"{self.bundle.sha256} {allowed} {rest} {self.suppressions} {packs_read}"
        self.spec = ScannerSpec(
            str(model) if model in SHIPPED else str(folder.resolve()),
            str(Path(profile).resolve()) if Path(profile).suffix == ".toml" else str(profile),
            tuple(str(Path(pack).resolve()) for pack in packs),
            tuple(str(Path(path).resolve()) for path in suppress),
            operating_point,
            max_chars,
            max_seconds,
            hashlib.sha256(fingerprint.encode()).hexdigest(),
        )
        self._engine = _Engine()
        self._by_id = {rule.id: rule for pack in self._packs for rule in pack.rules}
        self._policies = Policies(self.profile, self._by_id)
        self._decider = self._decider_with(self.bundle)
        self._suppressor = Suppressor(self.suppressions, date.today())
        self.engine = Engine(
            version=__version__,
            model=f"{self.bundle.version} {self.bundle.sha256[:12]}",
            profile=self.profile.name,
            packs={pack.name: pack.sha256[:12] for pack in self._packs},
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _scanner_from, (self.spec,)

    def _decider_with(self, bundle: Bundle) -> Decider:
        return Decider(bundle, self._by_id, self.spec.operating_point, self.profile.withheld)

    def with_bundle(self, bundle: Bundle) -> Scanner:
        """The same scanner with another model, sharing the compiled rules.

        It is for judging in one process: a model without a folder cannot go to another one.

        Args:
            bundle: the model.
        """
        twin = object.__new__(Scanner)  # a copy would be one from the spec
        vars(twin).update(vars(self))
        twin.bundle = bundle
        twin.spec = self.spec._replace(model="", fingerprint="")
        twin._decider = self._decider_with(bundle)
        twin.engine = replace(self.engine, model=f"{bundle.version} {bundle.sha256[:12]}")
        rules = self.rules
        twin._engine = _Engine()
        twin._engine.rules = rules
        twin._bind()
        return twin

    @property
    def rules(self) -> RuleEngine:
        """The rule engine of the calling thread."""
        if self._engine.vocabulary is None:
            with collector_at_rest():
                self._engine.rules = RuleEngine(self._packs)
                self._bind()
        return self._engine.rules

    def _bind(self) -> None:
        """Bind the model to the vocabulary of the rule engine, which is renewed when it has grown."""
        self._engine.scorer = Scorer(self.bundle.model, slice(len(LABELS)))
        self._engine.vocabulary = self._engine.rules.tokenizer.vocabulary

    def scan(self, text: str, *, note_id: str = "", **meta: str) -> NoteReport:
        """Scan one note.

        Args:
            text: the note as it stands in the record; offsets of the report are into it.
            note_id: any identifier.
            **meta: worker, program, date (ISO) and so on, carried into the report.

        Returns:
            The report; ``status`` is "failed" with a problem where the note could not be scanned.
        """
        return _logged(self._scan_batch([Note(note_id, text, meta)]))[0]

    def scan_many(self, notes: Iterable[Note | tuple[str, str]], *, jobs: int = 1) -> Generator[NoteReport, None, None]:
        """Scan notes lazily, in input order; closing the generator stops the work.

        Args:
            notes: ``Note`` objects or ``(note_id, text)`` pairs, read as they are needed.
            jobs: processes; more than one pays most with a model that reads twice, from some thousand notes on.

        Some hundred notes are read ahead, with processes some thousand. To stop the work from another thread, let
        ``notes`` end. An error that ``notes`` raises ends the scan, without reports on what was read ahead.

        Raises:
            UsageError: an item that is neither, or ``jobs`` below 1.
            WorkerError: a process was killed, or the system gave none.
        """
        if not isinstance(jobs, int) or jobs < 1:
            raise UsageError(f"jobs is {jobs!r}; give a number of processes from 1 on")
        stream = map(_as_note, notes)
        if jobs == 1:
            for batch in _batches(stream, _BATCH):
                yield from _logged(self._scan_batch(batch))
        else:
            # A window of chunks at a time: what is read ahead stays bounded, however slow the reader is.
            with Parallel(n_jobs=jobs) as parallel:
                while chunks := list(islice(_batches(stream, _CHUNK), _WINDOW * jobs)):
                    for reports in spread(parallel, partial(_scan_chunk, self.spec), chunks):
                        yield from _logged(reports)

    def scan_frame(self, frame: IntoDataFrameT, *, text: str, id: str | None = None, jobs: int = 1) -> IntoDataFrameT:
        """Scan a column of a frame.

        Args:
            frame: a pandas or polars DataFrame or a pyarrow Table, one note a row.
            text: the column that holds the notes; missing values count as empty notes.
            id: the column with note ids; without it, the index of a pandas frame, the row number of another.
            jobs: processes.

        Returns:
            A frame of the same kind, one row a finding: ``note_id, label, indicator, locus, severity,
            probability, start, end, origin, reason, question, problem``. A note that could not be scanned has
            one row, with nothing but its id and the ``problem``.

        Raises:
            UsageError: no frame, or a column that it does not have.
        """
        from peerdrift_nlp.io.frames import findings_frame, notes_of_frame

        return findings_frame(self.scan_many(notes_of_frame(frame, text, id), jobs=jobs), like=frame)

    def explain(self, text: str) -> tuple[NoteReport, list[Explanation]]:
        """The report on a note and, for each of its sentences, what led to it.

        Raises:
            UsageError: the note is too long.
        """
        note = Note("", text)
        if len(text) > self.max_chars:
            raise UsageError(f"a note longer than {self.max_chars:,} characters; split it")
        batch = self._read([note])
        model = self.bundle.model
        rows = note_rows(batch.normal, 0, batch.sentences[0], batch.hits[0])
        explanations = [
            Explanation(
                sentence=sentence,
                hits=tuple(hit for hit in batch.hits[0] if hit.sentence == number),
                probabilities={
                    label: round(float(batch.scores[number, column]), 4) for column, label in enumerate(LABELS)
                },
                features=_heaviest(*model.contributions(rows[number].features())),
            )
            for number, sentence in enumerate(batch.sentences[0])
        ]
        return self._reports(batch)[0], explanations

    def judge(self, notes: Iterable[LabelledNote]) -> Iterator[Judged]:
        """The verdicts on labelled notes, on their hand-made sentences; headings and unread ones are left out."""
        for note in notes:
            batch = self._read([Note(note.note_id, note.text)], [note.spans()])
            report = self._reports(batch)[0]
            flagged: dict[int, set[str]] = {}
            for finding in report.findings:
                flagged.setdefault(finding.sentence.start, set()).add(finding.indicator)
            strong = {strength.start for strength in report.strengths}
            for unit, probabilities in zip(note.sentences, batch.scores.tolist(), strict=True):
                if unit.kind == "sentence":
                    verdict = Verdict(
                        frozenset(flagged.get(unit.start, ())), unit.start in strong, tuple(probabilities)
                    )
                    yield Judged(note, unit, verdict)

    def _scan_batch(self, notes: Sequence[Note]) -> list[NoteReport]:
        fit = [note for note in notes if len(note.text) <= self.max_chars]
        with collector_at_rest():
            made = map(self._in_time, fit) if self.max_seconds else self._reports(self._read(fit))
            reports = iter(list(made))
        too_long = f"longer than {self.max_chars:,} characters; split it into its notes"
        return [next(reports) if len(note.text) <= self.max_chars else self._failed(note, too_long) for note in notes]

    def _in_time(self, note: Note) -> NoteReport:
        """The report on a note that has ``max_seconds`` for itself."""
        assert self.max_seconds
        _ = self.rules  # a thread's first note must not pay for its engine
        self._engine.deadline = time.monotonic() + self.max_seconds
        try:
            (report,) = self._reports(self._read([note]))
        except _LateError:
            return self._failed(note, f"took longer than {self.max_seconds:g} seconds; split it, or raise max_seconds")
        finally:
            self._engine.deadline = math.inf
        return report

    def _look_at_the_clock(self) -> None:
        if time.monotonic() > self._engine.deadline:
            raise _LateError

    def _read(self, notes: list[Note], sentences: list[list[Sentence]] | None = None) -> _Batch:
        """All stages but the last for notes that are read together."""
        rules = self.rules
        folded = [fold(note.text) for note in notes]
        sentences = [split_sentences(text) for text in folded] if sentences is None else sentences
        self._look_at_the_clock()
        normal = rules.normalise(folded, sentences)
        if normal.vocabulary is not self._engine.vocabulary:
            self._bind()
        self._look_at_the_clock()
        found = rules.find(normal, sentences)
        self._look_at_the_clock()
        hits = [self._policies.apply(hits, text) for hits, text in zip(found, folded, strict=True)]
        sentences = [self._policies.units(units, text) for units, text in zip(sentences, folded, strict=True)]
        others = [other_features(units, of_note) for units, of_note in zip(sentences, hits, strict=True)]
        scores, features = self._engine.scorer.score(normal, [row for rows in others for row in rows])
        if self.bundle.cascade:
            units = [(text, unit) for text, of_note in zip(folded, sentences, strict=True) for unit in of_note]
            scores = self.bundle.cascade(scores, lambda number: self._text_of(*units[number]))
        if self.bundle.whole_note:
            scores = self.bundle.whole_note(scores, np.repeat(np.arange(len(notes)), [*map(len, sentences)]))
        self._look_at_the_clock()
        return _Batch(notes, sentences, normal, hits, scores, features)

    def _text_of(self, folded: str, sentence: Sentence) -> str:
        """The text of a sentence for its second reading, which is what takes time."""
        self._look_at_the_clock()
        return folded[sentence.start : sentence.end]

    def _reports(self, batch: _Batch) -> list[NoteReport]:
        """The last stage."""
        decisions = self._decider.decide(batch.normal, batch.sentences, batch.hits, batch.scores, batch.features)
        reports = (
            NoteReport(
                note_id=note.note_id,
                status="complete",
                engine=self.engine,
                meta=note.meta,
                findings=tuple(decision.findings),
                strengths=tuple(decision.strengths),
                look_alikes=tuple(decision.look_alikes),
                sentences=tuple(sentences),
                text=note.text,
                switched_off=Counter(hit.policy for hit in hits if hit.policy),
            )
            for note, sentences, hits, decision in zip(batch.notes, batch.sentences, batch.hits, decisions, strict=True)
        )
        return [self._suppressor.apply(report) for report in reports]

    def _failed(self, note: Note, problem: str) -> NoteReport:
        return NoteReport(note.note_id, "failed", self.engine, (problem,), note.meta)


def _logged(reports: list[NoteReport]) -> list[NoteReport]:
    """The reports, told to the log in ids and counts."""
    for report in reports:
        if report.problems:
            _LOG.info("note %r is %s: %s", report.note_id, report.status, "; ".join(report.problems))
    _LOG.debug("notes: %d, findings: %d", len(reports), sum(len(report.findings) for report in reports))
    return reports


def _as_note(item: Note | tuple[str, str]) -> Note:
    if isinstance(item, Note):
        return item
    if isinstance(item, tuple) and len(item) == 2:
        return Note(*item)
    raise UsageError(f"a note must be a Note or a pair (note_id, text), not {type(item).__name__}")


def _heaviest(places: Mapping[str, int], parts: Floats, most: int = 5) -> dict[str, tuple[tuple[str, float], ...]]:
    """For each label the features that weighed most, for or against."""
    found = {}
    for column, label in enumerate(LABELS):
        weights = [(feature, float(parts[place, column])) for feature, place in places.items()]
        found[label] = tuple(sorted(weights, key=lambda item: -abs(item[1]))[:most])
    return found


def _batches(notes: Iterable[Note], size: int) -> Iterator[list[Note]]:
    stream = iter(notes)
    while batch := list(islice(stream, size)):
        yield batch


@lru_cache(maxsize=2)
def _scanner_from(spec: ScannerSpec) -> Scanner:
    if not spec.model:
        raise UsageError("a scanner that with_bundle made cannot go to another process: its model has no folder")
    scanner = Scanner(
        model=spec.model,
        profile=spec.profile,
        packs=spec.packs,
        suppress=spec.suppress,
        operating_point=spec.operating_point,
        max_chars=spec.max_chars,
        max_seconds=spec.max_seconds,
    )
    if scanner.spec != spec:
        raise UsageError(
            "the model, the profile, a pack or a suppression is not what it was when this scanner was made, or not "
            "here: make the scanner anew, with the same files and version everywhere"
        )
    return scanner


def _scan_chunk(spec: ScannerSpec, notes: Sequence[Note]) -> list[NoteReport]:
    return _scanner_from(spec)._scan_batch(notes)
