"""Policy profiles: what a program allows, as TOML. A profile switches; it never edits code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from peerdrift_nlp.errors import Problem, ProfileError
from peerdrift_nlp.report.settings import Settings, read_settings
from peerdrift_nlp.report.suppress import Suppression, suppressions_of
from peerdrift_nlp.taxonomy import POLICIES

PROFILE_FOLDER = Path(__file__).parent / "profiles"
DEFAULT = "article"
_SWITCHES = frozenset(POLICIES) - {"required_phrases", "program_names"}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a program allows and where its people find help.

    ``allowed`` are the policies switched on; ``required_phrases`` (wording that the payer demands)
    and ``program_names`` (groups, titles) are never held against a worker; ``resources`` are local
    places to turn to; ``about`` says whom the profile is for; ``suppressions`` are findings to leave out.
    """

    name: str
    title: str
    about: str = ""
    allowed: frozenset[str] = frozenset()
    required_phrases: tuple[str, ...] = ()
    program_names: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()

    @property
    def allows(self) -> list[str]:
        """The policies that are switched on, in the codebook's order; lists of phrases where they hold any."""
        lists = {name for name in ("required_phrases", "program_names") if getattr(self, name)}
        return [policy for policy in POLICIES if policy in self.allowed | lists]

    @property
    def withheld(self) -> frozenset[str]:
        """The policies that the default profile allows and this one does not."""
        return read_profile().allowed - self.allowed


def shipped_profiles() -> list[str]:
    """The names of the profiles that come with the package, the default first."""
    return sorted((item.stem for item in PROFILE_FOLDER.glob("*.toml")), key=lambda name: (name != DEFAULT, name))


def read_profile(name_or_path: str | Path = DEFAULT) -> Profile:
    """Read a shipped profile by name, or a TOML file.

    Raises:
        ProfileError: everything that is wrong in the file, with line and fix.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in (shipped := shipped_profiles()):
            raise ProfileError([Problem(str(name_or_path), 0, f"no such profile; shipped: {', '.join(shipped)}")])
        path = PROFILE_FOLDER / f"{name_or_path}.toml"
    settings = read_settings(path)
    profile = _profile(settings)
    settings.finish()
    return profile


def _profile(settings: Settings) -> Profile:
    """The profile in a file; what is wrong is noted in it."""
    data = settings.data
    settings.check_keys(data, {"name", "title", "about", "policies", "resources", "suppress"}, "the file")
    policies = data.get("policies", {})
    if not isinstance(policies, dict):
        settings.report(settings.line_of("policies"), "'policies' must be a table: [policies], then switches.")
        policies = {}
    settings.check_keys(policies, set(POLICIES), "[policies]")
    for key in ("name", "title"):
        if not isinstance(data.get(key), str):
            settings.report(1, f"{key!r} is missing.")
    if not isinstance(data.get("about", ""), str):
        settings.report(settings.line_of("about"), "'about' must be a string: whom the profile is for.")
    for key in sorted(policies.keys() & _SWITCHES):
        if not isinstance(policies[key], bool):
            settings.report(settings.line_of(key), f"{key!r} must be true (allowed here) or false.")
    return Profile(
        name=str(data.get("name")),
        title=str(data.get("title")),
        about=str(data.get("about", "")),
        allowed=frozenset(key for key in _SWITCHES if policies.get(key) is True),
        required_phrases=settings.strings(policies, "required_phrases"),
        program_names=settings.strings(policies, "program_names"),
        resources=settings.strings(data, "resources"),
        suppressions=suppressions_of(settings),
    )
