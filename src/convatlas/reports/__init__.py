"""The page a run leaves: one HTML file that needs nothing but itself."""

from convatlas.reports.page import write_report

__all__ = ["write_report"]
