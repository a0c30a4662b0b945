"""A report of experiments from their records alone: Markdown, one HTML page, plots and every number as JSON.

What belongs here: what the records come to (``summary``), that as JSON (``numbers``), that as a document
(``document``, ``sections``, ``recall_tables``, ``product_blocks``), and the document as files (``markdown``,
``page``, ``writing``), or as lines for the terminal (``text``). The same records give the same bytes.
"""

from __future__ import annotations

from landfall.experiments.paper.report.summary import summarise
from landfall.experiments.paper.report.text import to_text
from landfall.experiments.paper.report.writing import Report, write_report

__all__ = ["Report", "summarise", "to_text", "write_report"]
