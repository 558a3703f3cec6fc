"""Many damaged inputs: readers, folding, rule packs, settings, bundles, review files.

pytest -m campaign -n 0 -s tests/campaigns/test_campaign_fuzz.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from campaign_runs import SEED, count
from fuzz_targets import TARGETS, seeds
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import peerdrift_nlp

pytestmark = pytest.mark.campaign
EXAMPLES = count("EXAMPLES", 2000)
TOKENS = [b"", b"\0", b'"', b"[", b"{", b"]]", b"=", b"\n", b"-1", b"1e999", b"NaN", b"null", b"\xff\xfe", b"\\u", b"<", b"&#", b"\xed\xa0\x80"]  # fmt: skip
CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(TOKENS) | st.binary(max_size=6), st.integers(0, 12)),
    max_size=8,
)


@pytest.mark.parametrize("target", TARGETS)
def test_hypothesis(target: str) -> None:
    starts, ran = seeds(target), [0]

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        start=st.sampled_from(starts) | st.binary(max_size=300), changes=CHANGES, keep=st.just(1.0) | st.floats(0, 1)
    )
    def damaged(start: bytes, changes: list[tuple[float, bytes, int]], keep: float) -> None:
        for place, new, old in changes:
            at = int(place * len(start))
            start = start[:at] + new + start[at + old :]
        ran[0] += 1
        TARGETS[target](start[: round(keep * len(start))])

    damaged()
    print(f"\nhypothesis, {target}: seed {SEED}, {ran[0]:,} inputs")


@pytest.mark.parametrize("target", TARGETS)
def test_atheris(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason='needs pip install ".[campaign]"')
    limits = [f"-runs={count('RUNS', 20_000)}", f"-max_total_time={count('SECONDS', 60)}", f"-seed={SEED}"]
    script = Path(__file__).with_name("fuzz_atheris.py")
    home = str(Path(peerdrift_nlp.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, str(script), target, *limits, f"-artifact_prefix={tmp_path}/"], capture_output=True, text=True,
        check=False, cwd=tmp_path, env={**os.environ, "PYTHONPATH": home},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    runs = re.findall(r"Done (\d+) runs", done.stderr)
    print(f"\natheris, {target}: seed {SEED}, {int(runs[-1]):,} runs" if runs else done.stderr[-300:])
    assert runs
