"""The taxonomy says everything that a report needs, for every name of the codebook."""

from __future__ import annotations

import re

import pytest

from peerdrift_nlp.taxonomy import LABELS, taxonomy


def words(text: str) -> list[str]:
    """The words of a list written out for the eye."""
    return text.split()


INDICATORS = words("""
clinical.symptoms clinical.diagnosis clinical.jargon clinical.stigmatizing clinical.medication clinical.testing
clinical.therapy clinical.case_management clinical.nursing
hierarchical.directing hierarchical.sponsoring hierarchical.coaching hierarchical.taking_over hierarchical.coercion
lax_boundaries.friendship lax_boundaries.transport lax_boundaries.money lax_boundaries.contact
lax_boundaries.dual_relationship lax_boundaries.self_serving_disclosure
religious.promotion
organizational.misassigned_tasks organizational.exclusion organizational.clinical_pressure
""")
PRACTICES = words("""
mutuality lived_experience strengths choice own_words linking hope role_clarity listening advocacy transparency
reflection
""")
REASONS = words("""
reported_speech quotation declined own_experience linking own_pathway safety_duty policy header hypothetical
reflection history idiom other_actor side_by_side
""")
VALUES = words("""
voluntary hopeful open_minded empathetic respectful facilitate_change honest mutual shared_power strengths_focused
transparent person_driven role
""")
JARGON = re.compile(
    r"\b(utili[sz]e|facilitat|stakeholder|leverag|intervention|modalit|fidelity|non-?complian|client|patients)", re.I
)


def test_the_codebooks_names_are_all_there_and_no_others() -> None:
    names = taxonomy()
    assert len(INDICATORS) == 24
    assert list(names.indicators) == INDICATORS
    assert list(names.practices) == PRACTICES
    assert list(names.reasons) == REASONS
    assert list(names.guidelines) == VALUES
    assert tuple(names.labels) == LABELS


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_says_what_a_talk_needs(name: str) -> None:
    item = taxonomy().indicators[name]
    for text in (item.title, item.reason, item.question, item.clears, item.alternative):
        assert 3 < len(text) <= 230
        assert not JARGON.search(text), text
    assert item.guideline in VALUES
    assert item.reason.endswith(".") and item.reason.count(". ") == 0, "one sentence"
    assert item.question.endswith("?") and not item.question.lower().startswith("why"), "open, and no reproach"
    assert item.clears.endswith(".")
    assert item.alternative.endswith((".", '."', '?"'))


def test_no_two_indicators_share_a_text() -> None:
    items = taxonomy().indicators.values()
    for field in ("title", "reason", "question", "clears", "alternative"):
        assert len({getattr(item, field) for item in items}) == len(items), field


def test_questions_about_the_workplace_go_to_the_program() -> None:
    for item in taxonomy().indicators.values():
        if item.locus == "organizational":
            assert re.search(r"\b(our program|us)\b", item.question)
            assert " you " not in item.question


def test_reasons_complete_the_sentence_not_flagged() -> None:
    for text in taxonomy().reasons.values():
        assert text[0].islower() and not text.endswith(".")


def test_next_steps_are_those_of_the_source_article() -> None:
    steps = " ".join(taxonomy().next_steps)
    for part in ("supervision", "job description", "National Practice Guidelines", "training", "whole organization"):
        assert part in steps
    for part in ("advisory council", "peer alliance", "NIAPP", "local one"):
        assert part in steps
