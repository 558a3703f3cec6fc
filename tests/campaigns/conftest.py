from __future__ import annotations

from collections.abc import Iterator

import pytest
from campaign_runs import warm

from peerdrift_nlp import scanner


@pytest.fixture(scope="session", autouse=True)
def warmed() -> Iterator[None]:
    """Everything loaded before the first fork, and all as it was afterwards."""
    original = scanner.Scanner
    warm()
    yield
    scanner.Scanner = original  # type: ignore[misc]
