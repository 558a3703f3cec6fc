"""Findings -> note reports -> the summary of a batch -> the HTML page."""

from peerdrift_nlp.report.html import render_pages
from peerdrift_nlp.report.sheet import render_sheet
from peerdrift_nlp.report.summary import BatchSummary

__all__ = ["BatchSummary", "render_pages", "render_sheet"]
