"""The codebook's own sentences: its decoys are flagged, the look-alikes of its table are not."""

from pathlib import Path

import pytest

from peerdrift_nlp.io.readers import open_export
from peerdrift_nlp.io.select import select
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import DRIFT_LABELS, taxonomy
from peerdrift_nlp.types import Note, NoteReport

DECOYS = [
    ("I'm no doctor, but that sounds like bipolar to me.", "clinical.diagnosis"),
    ("His doctor wants him off it and I told him I agree.", "clinical.medication"),
    ("I quit my meds cold and said she could do the same.", "clinical.medication"),
    ("She asked me to hold her bank card, so I am keeping it.", "lax_boundaries.money"),
    ("Together we decided, well, I decided, she'd skip the visit.", "hierarchical.taking_over"),
    ("Respected her choice after telling her three times it was wrong.", "hierarchical.directing"),
]
DRIFT = [
    ("Told her to stop the Seroquel.", "clinical.medication"),
    ("Nurse had me do the med count.", "organizational.misassigned_tasks"),
    ("Left out of the team meeting again.", "organizational.exclusion"),
    ("Affect flat, speech pressured.", "clinical.symptoms"),
    ("Mood 4/10.", "clinical.symptoms"),
    ("No SI/HI, oriented x3.", "clinical.symptoms"),
    ("I believe she is bipolar.", "clinical.diagnosis"),
    ("Dx: F33.1 per our talk.", "clinical.diagnosis"),
    ("Utilized MI to address maladaptive coping.", "clinical.jargon"),
    ("Met objective 2.3 with 80% adherence.", "clinical.jargon"),
    ("Counted her pills.", "clinical.medication"),
    ("Not really sober on Suboxone.", "clinical.medication"),
    ("Observed UA collection.", "clinical.testing"),
    ("Used exposure.", "clinical.therapy"),
    ("Thought record as homework.", "clinical.therapy"),
    ("I told her she needs to leave him.", "hierarchical.directing"),
    ("Wrote his recovery plan and had him sign.", "hierarchical.taking_over"),
    ("Attend or I tell the judge.", "hierarchical.coercion"),
    ("Told to add symptoms so it bills.", "organizational.clinical_pressure"),
]
LOOK_ALIKES = [
    "She said the voices were loud on Tuesday.",
    "He looked tired and I asked if he still wanted to walk.",
    "His doctor gave him a new diagnosis and he is upset.",
    "Reviewed her plan with her at her wish.",
    "I can't advise on meds.",
    "We wrote down questions for the prescriber together.",
    "Gave him a naloxone kit per program policy.",
    "He told me his result.",
    "She dreads the court's screen.",
    "He passed the GED test.",
    "Waited with her for her test.",
    "I listened and reflected back what I heard.",
    "He is working on that with his therapist.",
    "My title here is Peer Counselor.",
    "We filled in the forms together.",
    "Gave her the list she asked for.",
    "Introduced him to the navigator.",
    "The nurse took her pressure.",
    "He felt dizzy, so I got the nurse.",
    "Gave emergency naloxone and called 911.",
    "Laid out three options and she chose the second.",
    "I told her my own way when she asked and that hers may differ.",
    "I suggested the park for our next meeting.",
    "He is on step four with his sponsor.",
    "Went with her to the meeting she picked.",
    "I can't sponsor you in this role, I told him.",
    "Service: Recovery Coaching",
    "He wanted practice, so we took turns asking interview questions.",
    "At her wish I stood beside her while she called.",
    "The court orders him to attend.",
    "I explained what I must report before we began.",
    "He made a friend at the drop-in.",
    "She called me a friend and we talked about the role.",
    "Rode along on the bus to learn the route.",
    "Used approved flex funds for a bus pass.",
    "Worked on his budget at his wish.",
    "She gave me a drawing and I reported it to my supervisor.",
    "Texted on the agency phone in hours.",
    "Gave her the warmline number.",
    "I explained the policy on phone numbers.",
    "He said he has feelings for me and I told my supervisor.",
    "She is dating someone new.",
    "She asked how I got through it; I shared briefly, and she said it helped.",
    "He prayed, I sat with him.",
    "Gave him the pastor's number he asked for.",
    "Met at the church where the pantry is.",
    "Filed my own note.",
    "I set up chairs for our group.",
    "She told me her doctor raised her dose.",
]


@pytest.mark.parametrize(("sentence", "indicator"), DECOYS + DRIFT)
def test_drift_is_flagged(scanner: Scanner, sentence: str, indicator: str) -> None:
    report = scanner.scan(sentence)
    assert indicator in {finding.indicator for finding in report.findings}


@pytest.mark.parametrize("sentence", LOOK_ALIKES)
def test_look_alikes_are_not_flagged(scanner: Scanner, sentence: str) -> None:
    report = scanner.scan(sentence)
    assert {finding.indicator for finding in report.findings if finding.label in DRIFT_LABELS} == set()


def test_the_asked_and_the_ordered_task(scanner: Scanner) -> None:
    """One sentence, two labels: the order is the workplace's, the act its own."""
    report = scanner.scan("Nurse had me do the med count.")
    assert {finding.locus for finding in report.findings} == {"individual", "organizational"}


@pytest.fixture(scope="module")
def sample_reports(scanner: Scanner, sample: Path) -> list[NoteReport]:
    notes = [item for item in select(open_export(sample)) if isinstance(item, Note)]
    return list(scanner.scan_many(notes))


@pytest.mark.parametrize("indicator", taxonomy().indicators)
def test_every_indicator_is_found_in_the_sample_with_its_reason(
    sample_reports: list[NoteReport], scanner: Scanner, indicator: str
) -> None:
    found = [item for report in sample_reports for item in report.findings if item.indicator == indicator]
    assert found
    for finding in found:
        messages = {scanner.rules.rules[evidence.rule_id].message for evidence in finding.evidence}
        assert finding.reason in messages or (
            not messages and finding.reason == taxonomy().indicators[indicator].reason
        )
