"""What the program's profile allows, applied to hits and sentences before anything is scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from peerdrift_nlp.report.profile import Profile
from peerdrift_nlp.rules.pack import Rule
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.phrases import Phrases
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Hit, Sentence, Span

_REASONS = {"required_phrases": "policy", "program_names": "header"}


class Policies:
    """Clears what a profile allows; ``Hit.policy`` says which policy did."""

    def __init__(self, profile: Profile, rules: Mapping[str, Rule]) -> None:
        self._allowed = profile.allowed
        self._rules = rules
        self._phrases = {
            "required_phrases": Phrases(profile.required_phrases),
            "program_names": Phrases(profile.program_names),
        }
        self._all = Phrases([*profile.required_phrases, *profile.program_names])

    def apply(self, hits: Sequence[Hit], folded: str) -> list[Hit]:
        """The hits of a note, those cleared that the profile allows."""
        if not hits:
            return []
        free = [(span, policy) for policy, phrases in self._phrases.items() for span in phrases.find(folded)]
        if not self._allowed and not free:
            return list(hits)
        return list(_same_words([self._cleared(hit, free) for hit in hits]))

    def units(self, sentences: Sequence[Sentence], folded: str) -> list[Sentence]:
        """The sentences of a note; one that is nothing but such a phrase is the form's, like a heading."""
        if not self._all.find(folded):
            return list(sentences)
        return [
            unit._replace(kind="heading") if self._all.cover(folded, unit.start, unit.end) else unit
            for unit in sentences
        ]

    def sentences(self, text: str) -> tuple[Sentence, ...]:
        """The sentences of a note as the report on it has them."""
        folded = fold(text)
        return tuple(self.units(split_sentences(folded), folded))

    def _cleared(self, hit: Hit, free: Sequence[tuple[Span, str]]) -> Hit:
        if hit.cleared_by:
            return hit
        if (policy := self._rules[hit.rule_id].policy) in self._allowed:
            return hit._replace(cleared_by="policy", policy=policy)
        for span, policy in free:
            if span.start < hit.end and hit.start < span.end:
                return hit._replace(cleared_by=_REASONS[policy], clearing_cue=span, policy=policy)
        return hit


def _same_words(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Hits, those cleared that say the same of words that a switch allows: another rule does not forbid them."""
    allowed = [hit for hit in hits if hit.policy and hit.policy not in _REASONS]
    for hit in hits:
        same = (
            other.policy
            for other in allowed
            if other.indicator == hit.indicator and other.start <= hit.start and hit.end <= other.end
        )
        policy = "" if hit.cleared_by else next(same, "")
        yield hit._replace(cleared_by="policy", policy=policy) if policy else hit
