"""The owner's report: one self-contained HTML page, drawn from the views and saved queries."""

from dashboards.report.page import render

__all__ = ["render"]
