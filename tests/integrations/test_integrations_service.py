"""The example service starts, answers, and repeats no note."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from peerdrift_nlp.io import schema

MARKER = "xylorimba"
JSON = {"content-type": "application/json"}
SERVICE = Path(__file__).parents[2] / "notebooks" / "service.py"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    spec = importlib.util.spec_from_file_location("service", SERVICE)
    assert spec is not None and spec.loader is not None
    service = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(service)
    with TestClient(service.app) as started:
        yield started
    service.workers.shutdown()


def test_a_note_is_answered_with_its_report_and_a_card(client: TestClient) -> None:
    note = {
        "note_id": "17",
        "text": f"\U0001f600 I counted her pills and the {MARKER}.",
        "meta": {"program": "Harbor House"},
    }
    answer = client.post("/scan", json=note)
    assert answer.status_code == 200
    report, card = answer.json()["report"], answer.json()["card"]
    Draft202012Validator(schema()).validate(report)
    assert (report["note_id"], report["meta"]) == ("17", {"program": "Harbor House"})
    assert "clinical.medication" in [item["indicator"] for item in report["findings"]]
    assert "1 place " in card["summary"]
    assert MARKER not in answer.text


def test_what_a_host_says_of_a_note_may_have_any_name(client: TestClient) -> None:
    meta = {"text": "x", "note_id": "y", "self": "z"}
    answer = client.post("/scan", json={"note_id": "1", "text": "Quiet day.", "meta": meta})
    assert answer.json()["report"]["meta"] == meta


def test_half_an_emoji_stops_nothing(client: TestClient) -> None:
    body = json.dumps({"note_id": "1", "text": "\ud83d Counted her pills."})
    answer = client.post("/scan", content=body, headers=JSON)
    assert answer.status_code == 200 and answer.json()["report"]["status"] == "complete"


def test_requests_at_once_are_answered_each_with_its_own(client: TestClient) -> None:
    def ask(number: int) -> str:
        text = "Counted her pills." if number % 2 else "Quiet day."
        report = client.post("/scan", json={"note_id": str(number), "text": text}).json()["report"]
        assert len(report["findings"]) == number % 2
        return str(report["note_id"])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(12))) == [str(number) for number in range(12)]


def test_a_note_that_is_too_long_is_a_report_that_says_so(client: TestClient) -> None:
    answer = client.post("/scan", json={"note_id": "1", "text": "x" * 100_001}).json()
    assert (answer["report"]["status"], answer["card"]["indicator"]) == ("failed", "warning")


@pytest.mark.parametrize(
    "body",
    [
        {"text": MARKER},
        {"note_id": [MARKER], "text": MARKER},
        {"note_id": "1", "text": {MARKER: MARKER}},
        [MARKER],
        {"note_id": "1", "text": MARKER, "meta": {"worker": [MARKER]}},
        {"note_id": "1", "text": MARKER, "meta": {MARKER: 5}},
    ],
    ids=range(6),
)
def test_a_bad_request_is_refused_without_its_note(client: TestClient, body: object) -> None:
    answer = client.post("/scan", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422 and answer.json()[0]["what"]
    assert MARKER not in answer.text


def test_what_is_no_json_is_refused_without_its_note(client: TestClient) -> None:
    answer = client.post("/scan", content=f'{{"text": "{MARKER}', headers=JSON)
    assert answer.status_code == 422
    assert MARKER not in answer.text
