"""Shared fixtures. Every test runs without a network: opening a socket is an error."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from peerdrift_nlp.rules.engine import RuleEngine
from peerdrift_nlp.scanner import Scanner

ROOT = Path(__file__).parents[1]


class NetworkUsed(RuntimeError):
    """A test opened a socket."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NetworkUsed("the package must not open sockets")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of its user for every test: what was adopted on this machine is nobody's business here."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PEERDRIFT_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def engine() -> RuleEngine:
    return RuleEngine()


@pytest.fixture(scope="session")
def scanner() -> Iterator[Scanner]:
    yield Scanner()


@pytest.fixture(scope="session")
def sample() -> Path:
    return ROOT / "data" / "samples" / "notes.csv"
