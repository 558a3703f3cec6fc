"""Each policy of the codebook: what is flagged without it and cleared with it, and what it does not clear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from peerdrift_nlp.report.policies import Policies
from peerdrift_nlp.report.profile import PROFILE_FOLDER, Profile, read_profile, shipped_profiles
from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.scanner import Scanner
from peerdrift_nlp.taxonomy import POLICIES
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Hit

SENTENCES = {
    "transport": ("I drove her to Walmart and back.", "lax_boundaries.transport"),
    "coach_title": ("Told him, as his coach, that two is not enough.", "hierarchical.coaching"),
    "faith": ("I led the group in a closing prayer.", "religious.promotion"),
    "gifts": ("Bought him lunch and a coat.", "lax_boundaries.money"),
    "touch": ("I gave her a long hug when she came in.", "lax_boundaries.dual_relationship"),
    "medication_reminders_on_request": (
        "Reminded her to take her meds at noon as she had asked.", "clinical.medication",
    ),
    "twelve_step": ("Did step four with her and went over her inventory.", "hierarchical.sponsoring"),
    "contact_hours": ("Texted her from my personal phone at 11 pm on Saturday.", "lax_boundaries.contact"),
    "naloxone": ("Dispensed Narcan to her and told her how to take it.", "clinical.medication"),
    "required_phrases": ("Counted her pills.", "clinical.medication"),
    "program_names": ("Did the Morning Med Pass today.", "clinical.medication"),
}  # fmt: skip
PHRASES = {"required_phrases": '["counted her pills"]', "program_names": '["Morning Med Pass"]'}


def scanner_that_allows(folder: Path, *policies: str) -> Scanner:
    switches = "".join(f"{policy} = {PHRASES.get(policy, 'true')}\n" for policy in policies)
    (folder / "ours.toml").write_text(f'name = "ours"\ntitle = "Ours"\n[policies]\n{switches}', encoding="utf-8")
    return Scanner(profile=folder / "ours.toml")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    return scanner_that_allows(tmp_path_factory.mktemp("strict"))


@pytest.fixture(scope="module")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Scanner:
    return scanner_that_allows(tmp_path_factory.mktemp("allowing"), *POLICIES)


def test_every_policy_has_a_sentence() -> None:
    assert tuple(SENTENCES) == POLICIES


@pytest.mark.parametrize("policy", POLICIES)
def test_flagged_without_the_policy_and_cleared_with_it(strict: Scanner, allowing: Scanner, policy: str) -> None:
    """That its report counts this policy and no other shows which one did it."""
    text, indicator = SENTENCES[policy]
    flagged, cleared = strict.scan(text), allowing.scan(text)
    assert indicator in {finding.indicator for finding in flagged.findings} and not flagged.switched_off
    assert indicator not in {finding.indicator for finding in cleared.findings}
    assert set(cleared.switched_off) == {policy} and cleared.to_dict()["switched_off"] == cleared.switched_off


# ---------------------------------------------------------------------------------------- what a switch does not clear


@pytest.fixture
def standing(engine: RuleEngine) -> Callable[..., set[str]]:
    """The rules that still stand in a text under a profile that allows some policies."""

    def rules(text: str, *allowed: str, names: tuple[str, ...] = ()) -> set[str]:
        policies = Policies(Profile("x", "X", allowed=frozenset(allowed), program_names=names), engine.rules)
        folded = fold(text)
        units = split_sentences(folded)
        (hits,) = engine.find(engine.normalise([folded], [units]), [units])
        return {hit.rule_id for hit in policies.apply(hits, folded) if not hit.cleared_by}

    return rules


@pytest.fixture(scope="module")
def by_profile() -> Callable[..., set[str]]:
    """The indicators that are flagged in a text under a shipped profile."""
    scanners = {name: Scanner(profile=name) for name in ("article", "faith-based")}
    return lambda name, text: {finding.indicator for finding in scanners[name].scan(text).findings}


@pytest.mark.parametrize(
    ("text", "policy", "rule"),
    [
        ("Cuddled on the couch, she needed it.", "touch", "boundary.dual.intimate_touch"),
        ("Coached her to apply and graded her answers.", "coach_title", "coaching.grading"),
        ("Reminded her to take her meds.", "medication_reminders_on_request", "medication.reminding"),
        ("As she had asked I reminded her to take her meds, then counted her pills.",
         "medication_reminders_on_request", "medication.counting"),
    ],
)  # fmt: skip
def test_a_switch_clears_no_more_than_it_says(
    standing: Callable[..., set[str]], text: str, policy: str, rule: str
) -> None:
    assert rule in standing(text, policy)


def test_another_rule_on_the_same_words_does_not_forbid_what_is_allowed(standing: Callable[..., set[str]]) -> None:
    text = "Reminded her to take her meds at noon as she had asked."
    assert "medication.urging" in standing(text)
    assert standing(text, "medication_reminders_on_request") == set()


@pytest.mark.parametrize(
    "text",
    [
        "We prayed together because he asked me to.",
        "He asked me to pray with him, so we prayed.",
        "I prayed with her at her request.",
        "She asked for prayer and I prayed with her.",
        "Prayed with ct for his brother, as he had asked.",
    ],
)
def test_prayer_at_the_persons_wish_is_not_flagged(scanner: Scanner, text: str) -> None:
    report = scanner.scan(text)
    assert not report.findings and not report.switched_off
    assert "own_pathway" in {item.reason for item in report.look_alikes if item.indicator == "religious.promotion"}


@pytest.mark.parametrize(
    "text",
    [
        "I prayed with her.",
        "We prayed at the end.",
        "I asked if I could pray with her and I led us in one for her brother.",
        "She asked was she going to be all right, and we prayed together, me talking and her nodding.",
        "He asked about the bus and I prayed over him.",
        "She asked me the time and I led her in a prayer.",
    ],
)
def test_prayer_that_the_writer_begins_is_flagged(scanner: Scanner, text: str) -> None:
    assert {finding.indicator for finding in scanner.scan(text).findings} >= {"religious.promotion"}


@pytest.mark.parametrize(
    "text",
    [
        "I led the group in a closing prayer.",
        "Prayed with her before court.",
        "I read her Psalm 23 off my phone.",
    ],
)
def test_a_faith_based_program_may_share_prayer_and_scripture(by_profile: Callable[..., set[str]], text: str) -> None:
    assert "religious.promotion" in by_profile("article", text)
    assert by_profile("faith-based", text) == set()


@pytest.mark.parametrize(
    ("text", "indicator"),
    [
        ("Told him nobody stays clean without God.", "religious.promotion"),
        ("She needs to find God, plain and simple.", "religious.promotion"),
        ("Told her that living with him is a sin.", "religious.promotion"),
        ("Invited her to my church on Sunday.", "religious.promotion"),
        ("Gave him a tract from my bag.", "religious.promotion"),
        ("I laid hands on him in the hallway and rebuked the spirit.", "religious.promotion"),
        ("Had him memorize two verses before I would sign his form.", "religious.promotion"),
        ("Told her to pray on it every night.", "religious.promotion"),
        ("I prayed with her and told her that Jesus is what she is missing.", "religious.promotion"),
        ("I agreed to be his sponsor.", "hierarchical.sponsoring"),
        ("Explained that without working the steps she will drink.", "hierarchical.sponsoring"),
    ],
)
def test_no_faith_based_program_may_recruit_press_or_preach(
    by_profile: Callable[..., set[str]], text: str, indicator: str
) -> None:
    assert indicator in by_profile("faith-based", text)


def test_the_faith_policy_leaves_preaching_to_the_rules(standing: Callable[..., set[str]]) -> None:
    """Whether it is reported is the model's say, too: it finds this sentence unlikely."""
    assert "religious.words_of_faith" in standing("I explained that his trouble is demons.", "faith")


def test_emergency_naloxone_is_nobodys_drift_and_kits_are_a_policy(standing: Callable[..., set[str]]) -> None:
    assert standing("He was blue, so I gave him the Narcan and called 911.") == set()
    assert standing("Handed out six naloxone kits at the plaza.") == {"medication.naloxone_kits"}
    assert standing("Handed out six naloxone kits at the plaza.", *read_profile().allowed) == set()


def test_a_program_name_that_a_hit_overlaps_clears_it(standing: Callable[..., set[str]]) -> None:
    text = "Counted her pills at the Pills and Tea hour."
    assert "medication.counting" in standing(text, names=("Tea hour",))
    assert "medication.counting" not in standing(text, names=("her pills at",))


def test_no_hits_need_no_policies(engine: RuleEngine) -> None:
    assert Policies(Profile("x", "X", allowed=frozenset(POLICIES)), engine.rules).apply(list[Hit](), "") == []


# ---------------------------------------------------------------------------------------- shipped profiles


def test_the_shipped_profiles() -> None:
    profiles = {name: read_profile(name) for name in shipped_profiles()}
    assert list(profiles) == ["article", "community", "crisis-team", "faith-based", "recovery-coach"]
    allows = {name: set(profile.allows) - {"naloxone"} for name, profile in profiles.items()}
    assert allows["article"] == set() and allows["community"] == {"transport"}
    assert "faith" in allows["faith-based"] and "coach_title" in allows["recovery-coach"]
    for name, profile in profiles.items():
        assert profile.name == name and profile.title and profile.about and not profile.suppressions
        text = (PROFILE_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
        assert all(f"\n{policy} = " in text for policy in POLICIES), "whoever copies it sees every switch"


def test_every_switch_has_a_rule(engine: RuleEngine) -> None:
    switched = {rule.policy for rule in engine.rules.values() if rule.policy}
    assert set(POLICIES) - {"required_phrases", "program_names"} <= switched <= set(POLICIES)
