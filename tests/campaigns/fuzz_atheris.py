"""Coverage-guided fuzzing of one target: ``python tests/campaigns/fuzz_atheris.py TARGET [LIBFUZZER OPTIONS]``.

Stops at the first input that raises what is no error of the package, and stores it. Needs ``pip install ".[campaign]"``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

# Not all of it: instrumenting the rules that scan takes minutes, and a scan reads no files.
ROOMS = (
    "io text types report.decisions report.baseline report.profile report.suppress rules.pack classifier.bundle".split()
)
with atheris.instrument_imports(include=[f"peerdrift_nlp.{room}" for room in ROOMS]):
    import fuzz_targets


def main() -> None:
    """Fuzz the target that the first argument names, from its seeds."""
    target, *options = sys.argv[1:]
    corpus = fuzz_targets.folder() / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(fuzz_targets.seeds(target)):
        (corpus / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, str(corpus)], fuzz_targets.TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
