"""This is the report on paper: HTML, markdown and JSON from one value."""

from adapters.reports.files import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
