"""A service that scans notes: ``pip install fastapi uvicorn``, then ``uvicorn service:app`` in this folder."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from peerdrift_nlp import Note, NoteReport, Scanner
from peerdrift_nlp.integrations.fhir import to_cds_card

app = FastAPI(title="peerdrift")
scanner = Scanner(max_chars=100_000)
workers = ThreadPoolExecutor(2)  # each thread makes an engine of its own and keeps it


class Sent(BaseModel):
    """What is sent."""

    note_id: str
    text: str
    meta: dict[str, str] = {}


@app.post("/scan")
async def scan(sent: Sent) -> dict[str, Any]:
    """The report on a note, and a card for those who show cards."""

    def scanned() -> NoteReport:
        return next(scanner.scan_many([Note(sent.note_id, sent.text, sent.meta)]))

    report = await asyncio.get_running_loop().run_in_executor(workers, scanned)
    return {"report": report.to_dict(), "card": to_cds_card(report)}


@app.exception_handler(RequestValidationError)
async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong with a request; FastAPI's own answer would repeat the note, and a key of ``meta``."""
    return JSONResponse([{"where": item["loc"][:2], "what": item["msg"]} for item in error.errors()], status_code=422)
