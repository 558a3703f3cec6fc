"""``peerdrift rules``: list, show and check rule packs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from peerdrift_nlp.errors import UsageError

app = typer.Typer(help="List, show and check rules.", no_args_is_help=True, rich_markup_mode=None)

Packs = Annotated[list[Path] | None, typer.Option("--pack", help="A further rule pack (TOML).")]


@app.command("list")
def list_rules(
    indicator: Annotated[str | None, typer.Option(help="Only rules of this indicator or label.")] = None,
    packs: Packs = None,
) -> None:
    """List all rules by indicator: severity and id."""
    from itertools import groupby

    from peerdrift_nlp.cli.terminal import lines
    from peerdrift_nlp.rules.pack import read_packs, shipped_packs

    found = [rule for pack in read_packs([*shipped_packs(), *(packs or ())]) for rule in pack.rules]
    chosen = [rule for rule in found if indicator is None or f"{rule.indicator}.".startswith(f"{indicator}.")]
    if not chosen:
        raise UsageError(f"no rule of {indicator!r}; see `peerdrift rules list`")
    chosen.sort(key=lambda rule: (rule.indicator, rule.id))
    for name, rules in groupby(chosen, key=lambda rule: rule.indicator):
        lines([name, *(f"  {rule.severity}  {rule.id}" for rule in rules)])
    lines([f"{len(chosen)} rules"])


@app.command()
def show(
    rule_id: Annotated[str, typer.Argument(help="The id, e.g. medication.counting.")], packs: Packs = None
) -> None:
    """Show one rule with its patterns and examples."""
    from peerdrift_nlp.cli.terminal import lines
    from peerdrift_nlp.rules.pack import read_packs, shipped_packs

    rules = {rule.id: rule for pack in read_packs([*shipped_packs(), *(packs or ())]) for rule in pack.rules}
    if rule_id not in rules:
        import difflib

        near = difflib.get_close_matches(rule_id, rules, 3)
        hint = f" Did you mean {', '.join(near)}?" if near else " See `peerdrift rules list`."
        raise UsageError(f"no rule {rule_id!r}.{hint}")
    rule = rules[rule_id]
    lines([f"{rule.id}  ({rule.indicator}, severity {rule.severity}, matcher {rule.matcher})", rule.message])
    lines([f"source: {rule.source}", f"policy: {rule.policy or 'none'}"])
    lines([f"stands when {question}: {', '.join(sorted(values))}" for question, values in rule.when.items()])
    lines(["patterns:", *(f"  {pattern}" for pattern in rule.patterns)])
    lines(["fires:", *(f"  {text}" for text in rule.fires), "stays silent:", *(f"  {text}" for text in rule.silent)])


@app.command()
def profiles() -> None:
    """List the shipped policy profiles and what each allows."""
    from peerdrift_nlp.cli.terminal import lines
    from peerdrift_nlp.report.profile import read_profile, shipped_profiles
    from peerdrift_nlp.taxonomy import POLICIES

    for name in shipped_profiles():
        profile = read_profile(name)
        lines([f"{name}: {profile.title}", f"  {profile.about}", f"  allows: {', '.join(profile.allows) or 'nothing'}"])
    lines([f"policies: {', '.join(POLICIES)}"])


@app.command()
def suppressed(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A file of suppressions, or a profile (TOML).")],
    results: Annotated[Path | None, typer.Option(help="Results folder: what each left out in that run.")] = None,
    packs: Packs = None,
) -> None:
    """List suppressions with reason and age, and those that should be looked at again."""
    from datetime import date

    from peerdrift_nlp.cli.terminal import lines, printable
    from peerdrift_nlp.report.left_out import stale, taken_away
    from peerdrift_nlp.report.suppress import suppressions_in
    from peerdrift_nlp.rules.pack import read_packs, shipped_packs

    found = suppressions_in(path)
    counts = None if results is None else taken_away(results / "run.json")
    rules = {rule.id for pack in read_packs([*shipped_packs(), *(packs or ())]) for rule in pack.rules}
    today, looked_at = date.today(), 0
    for item in found:
        age = (today - item.date).days
        until = f", until {item.until}" if item.until else ""
        lines(map(printable, [item.what, f"  since {item.date} ({age:,} days){until}: {item.reason}"]))
        if counts is not None:
            lines([f"  left out {counts.get(item.id, 0):,} findings in {results}"])
        if why := stale(item, rules, today, counts):
            looked_at += 1
            lines([f"  STALE: {printable(why)}"])
    lines([f"{len(found)} suppressions, {looked_at} stale"])


@app.command()
def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="Pack files; the shipped ones without.")] = None,
) -> None:
    """Validate packs and run every example in them."""
    from peerdrift_nlp.cli.terminal import lines, out
    from peerdrift_nlp.rules.check import check_rules
    from peerdrift_nlp.rules.engine import RuleEngine
    from peerdrift_nlp.rules.pack import read_packs, shipped_packs

    named = {path.resolve() for path in paths or ()}
    packs = read_packs([*(path for path in shipped_packs() if path.resolve() not in named), *(paths or ())])
    engine = RuleEngine(packs)
    own = packs[-len(paths) :] if paths else packs
    rules = [rule for pack in own for rule in pack.rules]
    problems = list(check_rules(engine, rules))
    lines(problems)
    out.print(f"{len(rules)} rules checked, {len(problems)} problems")
    if problems:
        raise typer.Exit(2)
