"""Exports in, results out: readers, filters, writers and the contract of ``reports.jsonl``."""

from __future__ import annotations

from peerdrift_nlp.io.columns import map_columns
from peerdrift_nlp.io.contract import schema
from peerdrift_nlp.io.readers import Export, Item, Skipped, open_export
from peerdrift_nlp.io.select import select
from peerdrift_nlp.io.writers import ResultsFolder

__all__ = ["Export", "Item", "ResultsFolder", "Skipped", "map_columns", "open_export", "schema", "select"]
