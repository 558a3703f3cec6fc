"""What a run did not show and why: policies of the profile, suppressions, verdicts given earlier."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from datetime import date
from pathlib import Path
from typing import Any

from peerdrift_nlp.errors import UsageError
from peerdrift_nlp.report.baseline import DECIDED
from peerdrift_nlp.report.profile import Profile
from peerdrift_nlp.report.summary import BatchSummary
from peerdrift_nlp.report.suppress import Suppression


def record(profile: Profile, suppressions: Sequence[Suppression], summary: BatchSummary) -> dict[str, Any]:
    """What was left out, for ``run.json``: hits by policy, findings by suppression, findings with a verdict."""
    return {
        "profile": {
            "name": profile.name,
            "title": profile.title,
            "resources": list(profile.resources),
            "required_phrases": list(profile.required_phrases),
            "program_names": list(profile.program_names),
            "allows": profile.allows,
            "switched_off": {policy: summary.switched_off[policy] for policy in profile.allows},
        },
        "suppressed": [{**item.to_dict(), "taken_away": summary.suppressed[item.id]} for item in suppressions],
        "decided": summary.suppressed[DECIDED],
    }


def lines(
    profile: Profile, suppressions: Sequence[Suppression], summary: BatchSummary, rules: Set[str], today: date
) -> list[str]:
    """What was left out, in plain lines, for terminal and page.

    Args:
        profile: the policy profile.
        suppressions: those of profile and files.
        summary: the counts of the run.
        rules: the ids of the rules that there are.
        today: the day of the run.
    """
    hits = [f"{policy} ({summary.switched_off[policy]:,})" for policy in profile.allows]
    said = [f"Policy profile: {profile.title}; it switched off: {', '.join(hits) or 'nothing'}"]
    said += [
        f"left out {summary.suppressed[item.id]:,}: {item.what} ({item.date}: {item.reason})" for item in suppressions
    ]
    said += [f"suppression of {item.what}: {why}" for item in suppressions if (why := stale(item, rules, today, None))]
    if summary.suppressed[DECIDED]:
        said.append(f"left out {summary.suppressed[DECIDED]:,}: decided earlier")
    return said


def stale(item: Suppression, rules: Set[str], today: date, taken_away: Mapping[str, int] | None) -> str:
    """Why a suppression should be looked at again, "" where it should not.

    Args:
        item: the suppression.
        rules: the ids of the rules that there are.
        today: the day on which it is asked.
        taken_away: findings by suppression in some run, if one is given.
    """
    if item.is_over(today):
        return f"has ended on {item.until}; remove or renew it"
    if item.rule and item.rule not in rules:
        return f"there is no rule {item.rule!r}; see `peerdrift rules list`"
    if taken_away is not None and not taken_away.get(item.id):
        return "left nothing out in this run"
    return ""


def taken_away(run: Path) -> dict[str, int]:
    """Findings that each suppression left out, from a run's ``run.json``.

    Raises:
        UsageError: there is no such record.
    """
    try:
        entries = json.loads(run.read_text(encoding="utf-8"))["suppressed"]
        return {str(entry["id"]): int(entry["taken_away"]) for entry in entries}
    except OSError as error:
        raise UsageError(f"{run} cannot be read: {error.strerror or error}; name a results folder") from None
    except (KeyError, TypeError, ValueError, RecursionError):
        raise UsageError(f"{run} does not say what was suppressed; scan again with --suppress") from None
