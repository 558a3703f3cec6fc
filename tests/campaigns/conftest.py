from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from campaign_runs import warm

from peerdrift_nlp import scanner

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []


@pytest.fixture(scope="session", autouse=True)
def warmed() -> Iterator[None]:
    """Everything loaded before the first fork, and all as it was afterwards."""
    original = scanner.Scanner
    warm()
    yield
    scanner.Scanner = original  # type: ignore[misc]
