"""The review in a real browser, from a scan to decisions and back: ``pytest -m browser``, with the extra ``browser``."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_makers import TEXT, report, rich

from peerdrift_nlp.io.readers import open_export
from peerdrift_nlp.report import BatchSummary, render_pages
from peerdrift_nlp.report.decisions import read_decisions
from peerdrift_nlp.report.fingerprint import Fingerprints
from peerdrift_nlp.report.html import Review
from peerdrift_nlp.text.fold import fold
from peerdrift_nlp.text.sentences import split_sentences
from peerdrift_nlp.types import Note, NoteReport

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=as_root)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Open]:
    """Open a file in a window of its own; whatever the console says, and any request but for files, is an error."""
    wrong: list[str] = []
    contexts = []

    def open_page(path: Path, *, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda sent: sent.url.startswith(("file:", "blob:")) or wrong.append(sent.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def peerdrift(*arguments: str | Path) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "peerdrift_nlp", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    folder = tmp_path_factory.mktemp("browser") / "results"
    peerdrift("scan", sample, "--model", "fast", "--out", folder, "-q")
    return folder


KEY = bytes(range(32))
QUIET = "We sat on the porch. She named three things she is proud of. We laughed a lot."


def with_sentences(item: NoteReport) -> NoteReport:
    sentences = tuple(split_sentences(fold(item.text)))
    return replace(item, fingerprint=Fingerprints(KEY).note(item.text), sentences=sentences)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A report of three notes: two with two flags each, and a sample note."""
    other = replace(rich("b"), text=TEXT.replace("noon", "nine"))
    reports = [with_sentences(item) for item in (rich("a"), report("q", QUIET), other)]
    return write(reports, tmp_path / "small")


def write(reports: list[NoteReport], folder: Path, **limits: int) -> Path:
    summary = BatchSummary()
    for item in reports:
        summary.add(item)
    sample = {item.fingerprint for item in reports if not item.findings}
    outcome = ("0 of 4 flags decided.", "0 of 1 sample notes read.")
    review = Review("2026-03-02T10:00:00+00:00", Fingerprints(KEY).key_id, sample, outcome=outcome)
    pages = render_pages(reports, summary, skipped={}, profile_name="x", review=review, **limits)
    folder.mkdir()
    for name, page in pages:
        (folder / name).write_text(page, encoding="utf-8")
    return folder / "report.html"


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def save(page: Any, path: Path) -> dict[str, Any]:
    with page.expect_download() as download:
        page.keyboard.press("s")
    download.value.save_as(path)
    made: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return made


def test_from_a_scan_to_labelled_sentences_with_the_keyboard_alone(
    visit: Open, results: Path, sample: Path, tmp_path: Path
) -> None:
    page = visit(results / "report.html")
    flags = int(re.search(r"0 of (\d+) flags decided, 0 of 20 sample notes read", page.inner_text("#progress"))[1])  # type: ignore[index]
    press(page, "j", "a", "j", "d")
    page.keyboard.type("this program's policy")  # the reason's list, by its first letters
    press(page, "Escape", "c")
    page.keyboard.type("jakd? We drive here.")
    press(page, "Escape", "m", "ArrowDown", "Tab", "ArrowDown", "Tab")
    page.keyboard.type("Ask about this.")
    press(page, "Tab", "Enter")
    assert page.inner_text("#progress").startswith(f"2 of {flags} flags decided, 0 of 20 sample notes read, 1 missed")
    while not page.evaluate("document.activeElement.matches('.read input')"):
        press(page, "j")
    press(page, "r")
    save(page, tmp_path / "decisions.json")

    made = read_decisions(tmp_path / "decisions.json")
    assert [item.verdict for item in made.decisions] == ["accepted", "dismissed", "missed"]
    assert (made.decisions[1].reason, made.decisions[1].comment) == ("policy", "jakd? We drive here.")
    assert made.decisions[2].comment == "Ask about this." and len(made.read) == 1
    run = json.loads((results / "run.json").read_text("utf-8"))
    fingerprints = Fingerprints(bytes.fromhex(run["key"]))
    texts = {fingerprints.note(item.text): item.text for item in open_export(sample) if isinstance(item, Note)}
    labelled = [(texts[item.note][item.start : item.end], item.indicator) for item in made.decisions]
    lines = [json.loads(line) for line in (results / "reports.jsonl").read_text("utf-8").splitlines()]
    found = [
        (texts[line["fingerprint"]][slice(*item["sentence"].values())], item["indicator"])
        for line in lines
        for item in line["findings"]
    ]
    assert set(labelled[:2]) <= set(found) and labelled[2] not in found and labelled[2][0].strip()

    said = peerdrift("report", results, "--input", sample, "--decisions", tmp_path / "decisions.json")
    assert f"2 of {flags} flags decided: 1 accepted" in said
    assert "1 of 20 sample notes read, something missed in 0 of them." in said
    again = visit(results / "report.html")
    assert again.inner_text("#progress") == page.inner_text("#progress")
    assert again.locator(".card.accepted").count() == 1 and again.locator(".card.dismissed").count() == 1
    assert again.get_by_text(f"2 of {flags} flags decided: 1 accepted").is_visible(), "what the review came to"
    assert again.evaluate("localStorage.length + sessionStorage.length") == 0
    assert {item["verdict"] for item in save(again, tmp_path / "again.json")["decisions"]} == {
        "accepted", "dismissed", "missed",
    }  # fmt: skip


def test_what_was_saved_is_loaded_and_the_same_again(visit: Open, small: Path, tmp_path: Path) -> None:
    page = visit(small)
    press(page, "j", "a", "c")
    page.keyboard.type("Über <b>that</b> 😀")
    press(page, "Escape", "j", "d", "Escape")
    page.locator(".sen", has_text="She named three things").click()
    page.get_by_role("button", name="Add").click()
    page.get_by_label("I have read this note to the end").check()
    first = save(page, tmp_path / "d.json")
    other = visit(small)
    other.set_input_files("#load", tmp_path / "d.json")
    other.get_by_text("Loaded.", exact=True).wait_for()
    assert other.inner_text("#progress") == "2 of 4 flags decided, 1 of 1 sample note read, 1 missed"
    second = save(other, tmp_path / "e.json")
    assert {**second, "made": ""} == {**first, "made": ""}
    assert [item["verdict"] for item in first["decisions"]] == ["accepted", "dismissed", "missed"]
    assert (
        QUIET[first["decisions"][2]["start"] : first["decisions"][2]["end"]]
        == "She named three things she is proud of."
    )
    assert "porch" not in (tmp_path / "d.json").read_text("utf-8")


def test_a_verdict_is_taken_back_and_a_missed_one_removed(visit: Open, small: Path, tmp_path: Path) -> None:
    page = visit(small)
    press(page, "j", "a", "a", "m")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Remove").click()
    assert page.inner_text("#progress") == "0 of 4 flags decided, 0 of 1 sample note read"
    assert save(page, tmp_path / "d.json")["decisions"] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": "other/1"}, "it is no decisions file"),
        ({"key_id": "ffffffff"}, "it belongs to another scan"),
        ({"decisions": [{"note": 1}]}, "it is damaged"),
        ({"read": ["0" * 32]}, "nothing in it is about a note on this page"),
    ],
)
def test_a_wrong_file_is_not_loaded_and_the_page_says_why(
    visit: Open, small: Path, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    page = visit(small)
    data = save(page, tmp_path / "d.json") | change
    (tmp_path / "wrong.json").write_text(json.dumps(data))
    page.set_input_files("#load", tmp_path / "wrong.json")
    page.get_by_text(f"wrong.json was not loaded: {why}").wait_for()
    (tmp_path / "wrong.json").write_text("<html>")
    page.set_input_files("#load", tmp_path / "wrong.json")
    page.get_by_text("wrong.json was not loaded: it is no decisions file.").wait_for()
    assert page.inner_text("#progress").startswith("0 of 4")


def test_leaving_with_unsaved_decisions_is_asked_about(visit: Open, small: Path, tmp_path: Path) -> None:
    asked: list[str] = []
    page = visit(small)
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    press(page, "j", "a")
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]
    save(page, tmp_path / "d.json")
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"]


def test_single_keys_can_be_turned_off(visit: Open, small: Path) -> None:
    page = visit(small)
    press(page, "?")
    page.get_by_label("Single keys do this").uncheck()
    press(page, "Escape", "j", "a")
    assert page.inner_text("#progress").startswith("0 of 4") and page.locator(".card[open]").count() == 0


def test_only_what_is_undecided_is_shown_and_gone_through(visit: Open, small: Path) -> None:
    page = visit(small)
    shown = page.locator(".note:visible h3 bdi")
    press(page, "j", "a", "j", "j")  # the first note is half decided; on the sample note
    press(page, "r", "u")
    assert shown.all_inner_texts() == ["a", "b"] and page.inner_text("#count") == "2 of 3 notes"
    press(page, "j")
    first = page.locator(".card").nth(1)
    assert first.evaluate("card => card.contains(document.activeElement)"), "the decided flag is passed over"
    press(page, "d", "Escape", "j")
    assert shown.count() == 2, "a note does not vanish while it is worked on"
    press(page, "a", "j", "a", "u", "u")
    assert shown.count() == 0 and page.get_by_text("No note fits this choice.").is_visible()
    press(page, "u")
    assert shown.count() == 3 and page.inner_text("#progress").startswith("4 of 4 flags decided")


def test_on_paper_decisions_are_written_and_buttons_are_not(visit: Open, small: Path, tmp_path: Path) -> None:
    from pypdf import PdfReader

    def printed() -> str:
        page.pdf(path=tmp_path / "page.pdf")
        return " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(tmp_path / "page.pdf").pages).split())

    page = visit(small)
    press(page, "j", "d")
    page.keyboard.type("somebody else")
    press(page, "Escape", "c")
    page.keyboard.type("Her nurse did.")
    words = printed()
    assert "Dismissed: somebody else did it. Her nurse did." in words
    assert words.count("Agree / not drift / comment") == 3
    assert "Download decisions" not in words and "Missed one here" not in words
    assert "What the review came to" in words
    press(page, "Escape")
    page.get_by_label("Only the sample").check()
    words = printed()
    assert "She named three things" in words and "Her nurse did." not in words, "what is filtered out is not printed"


@pytest.mark.parametrize("width", [1280, 400])
def test_no_rule_of_wcag_is_broken(visit: Open, small: Path, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(small, width=width)
    for step in ("as it opens", "at work", "with its list of keys"):
        if step == "at work":
            page.get_by_role("button", name="Open all flags").click()
            press(page, "j", "a", "j", "d", "Escape", "m")
            page.get_by_role("button", name="Add").click()
            press(page, "m")
        elif step == "with its list of keys":
            press(page, "Escape", "?")
        found = axe.run(page, options={"runOnly": RULES}).response["violations"]
        assert [(item["id"], item["nodes"][0]["html"]) for item in found] == [], step
        assert page.evaluate("document.documentElement.scrollWidth") == width, "nothing is wider than the screen"


def test_without_javascript_the_report_reads_and_offers_nothing_that_would_not_work(visit: Open, small: Path) -> None:
    page = visit(small, java_script_enabled=False)
    assert page.get_by_text("She named three things she is proud of.").is_visible()
    assert not page.locator("#desk").is_visible() and page.get_by_role("button", name="Accept").count() == 0
    page.locator(".card summary").first.click()
    assert page.locator(".card .ask").first.is_visible()


def test_parts_link_to_each_other_and_keep_their_decisions_apart(visit: Open, tmp_path: Path) -> None:
    texts = [TEXT.replace("noon", word) for word in ("one", "two", "three")]
    reports = [with_sentences(replace(rich(str(place)), text=text)) for place, text in enumerate(texts)]
    page = visit(write(reports, tmp_path / "parts", max_notes=2))
    page.get_by_role("link", name="notes 3 to 3").first.click()
    assert page.title() == "Peer role report, part 2 of 2"
    press(page, "j", "a")
    with page.expect_download() as download:
        page.keyboard.press("s")
    assert download.value.suggested_filename == "peerdrift-decisions-2.json"
    download.value.save_as(tmp_path / "two.json")
    page.get_by_role("link", name="the first part").click()
    page.set_input_files("#load", tmp_path / "two.json")
    page.get_by_text(
        "two.json was not loaded: nothing in it is about a note on this page. Is it of another part?"
    ).wait_for()
