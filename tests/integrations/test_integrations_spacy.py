"""The spaCy component: spans behind any tokenizer, documents and pipelines that survive being stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.tokens import Doc, DocBin, Span, Token
from spacy.util import filter_spans

import peerdrift_nlp
from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.integrations.spacy import PeerdriftComponent
from peerdrift_nlp.scanner import MAX_NOTE_CHARS, Scanner

KEY = "peerdrift"
TEXTS = [
    "I drove her to Walmart and back. Counted her pills.",
    "",
    "\U0001f600 Quiet day. \u201cI listened.\u201d\r\nCounted his pills and told him to take them.",
    "She chose the library.",
]


@pytest.fixture(scope="module")
def fast() -> Scanner:
    return Scanner(model="fast")


@pytest.fixture(scope="module")
def nlp() -> Language:
    pipeline = spacy.blank("en")
    pipeline.add_pipe(KEY, config={"model": "fast"})
    return pipeline


def written(doc: Doc) -> list[tuple[str, str, str, str]]:
    return [(span.text, span.label_, span.kb_id_, span.id_) for span in doc.spans[KEY]]


@pytest.mark.parametrize("text", TEXTS)
def test_a_document_holds_its_findings_and_its_report(nlp: Language, fast: Scanner, text: str) -> None:
    doc, report = nlp(text), fast.scan(text)
    assert doc.user_data[KEY] == report.to_dict()
    assert written(doc) == [
        (text[item.start : item.end], item.label, item.indicator, item.id) for item in report.findings
    ]
    assert not (Doc.has_extension(KEY) or Span.has_extension(KEY) or Token.has_extension(KEY))


def test_a_stream_is_one_by_one(nlp: Language) -> None:
    docs = list(nlp.pipe(TEXTS * 3, batch_size=5))
    assert [written(doc) for doc in docs] == [written(nlp(text)) for text in TEXTS] * 3
    assert [doc.user_data[KEY] for doc in docs[:4]] == [nlp(text).user_data[KEY] for text in TEXTS]


def test_a_document_survives_its_bytes_in_another_vocabulary(nlp: Language) -> None:
    doc = nlp(TEXTS[0])
    assert len(doc.spans[KEY]) >= 2
    twin = Doc(spacy.blank("en").vocab).from_bytes(doc.to_bytes())
    assert (written(twin), twin.user_data) == (written(doc), doc.user_data)
    (stored,) = DocBin(docs=[doc], store_user_data=True).get_docs(spacy.blank("en").vocab)
    assert written(stored) == written(doc)
    assert json.dumps(stored.user_data[KEY]) == json.dumps(doc.user_data[KEY])  # lists come back as tuples


def test_a_pipeline_survives_the_disk_with_its_settings(tmp_path: Path) -> None:
    pipeline = spacy.blank("en")
    pipeline.add_pipe(
        KEY, config={"model": "fast", "operating_point": "thorough", "max_chars": 900, "spans_key": "drift"}
    )
    pipeline.to_disk(tmp_path)
    twin = spacy.load(tmp_path)
    component = twin.get_pipe(KEY)
    assert isinstance(component, PeerdriftComponent)
    assert component.scanner.spec == Scanner(model="fast", operating_point="thorough", max_chars=900).spec
    assert twin(TEXTS[0]).user_data["drift"] == pipeline(TEXTS[0]).user_data["drift"]


def test_bad_settings_are_told_as_the_scanner_tells_them() -> None:
    with pytest.raises(UsageError, match="use one of careful, balanced, thorough"):
        spacy.blank("en").add_pipe(KEY, config={"model": "fast", "operating_point": "strict"})


def test_behind_a_tokenizer_of_ones_own_spans_are_whole_tokens(fast: Scanner) -> None:
    """Only blanks split, so that full stops stay with their words."""
    pipeline = spacy.blank("en")
    pipeline.tokenizer = Tokenizer(pipeline.vocab)
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe(KEY, config={"model": "fast"})
    text = "Well(I drove her to Walmart and back)then.Counted her pills.Done."
    doc = pipeline(text)
    report = fast.scan(text)
    assert report.findings and len(doc.spans[KEY]) == len(report.findings)
    for span, finding in zip(doc.spans[KEY], report.findings, strict=True):
        assert span.start_char <= finding.start and finding.end <= span.end_char
        assert not any(token.idx >= finding.end or token.idx + len(token) <= finding.start for token in span)
    assert doc.user_data[KEY]["findings"] == report.to_dict()["findings"]


def test_spans_of_a_user_stay(fast: Scanner) -> None:
    doc = spacy.blank("en")(TEXTS[0])
    doc.spans["mine"] = [doc[0:2]]
    doc.user_data["mine"] = 3
    PeerdriftComponent(fast)(doc)
    assert [span.text for span in doc.spans["mine"]] == ["I drove"] and doc.user_data["mine"] == 3
    assert filter_spans(doc.spans[KEY])


def test_a_text_that_cannot_be_scanned_says_so(nlp: Language) -> None:
    words = ["x" * 1000] * (MAX_NOTE_CHARS // 1000)
    doc = nlp.get_pipe(KEY)(Doc(nlp.vocab, words=words))  # the tokenizer refuses a text as long itself
    assert not doc.spans[KEY]
    assert doc.user_data[KEY]["status"] == "failed" and doc.user_data[KEY]["problems"]


@settings(deadline=None, max_examples=60)
@given(
    text=st.lists(st.sampled_from([*TEXTS, "\n", "  ", "\u00a0", "...", "(", "\U0001f468\u200d\U0001f469", "D:"])).map(
        "".join
    )
)
def test_any_text(nlp: Language, text: str) -> None:
    doc = nlp(text)
    assert doc.text == text
    for span, finding in zip(doc.spans[KEY], doc.user_data[KEY]["findings"], strict=True):
        assert span.start_char <= finding["start"] < finding["end"] <= span.end_char


def test_the_factory_is_registered_on_purpose_only(tmp_path: Path) -> None:
    code = (
        "import spacy, peerdrift_nlp.scanner, peerdrift_nlp.integrations\n"
        "print(spacy.Language.has_factory('peerdrift'))\n"
        "import peerdrift_nlp.integrations.spacy\n"
        "print(spacy.Language.has_factory('peerdrift'))"
    )
    home = str(Path(peerdrift_nlp.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env={**os.environ, "PYTHONPATH": home}, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout.split() == ["False", "True"]
