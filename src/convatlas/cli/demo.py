"""What a worked example of ``convatlas conv --demo`` consists of."""

from dataclasses import dataclass

from convatlas.tables import Table, render


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """Text, a table, text; the table alone for ``--json`` and the like."""

    before: str
    table: Table
    after: str

    def text(self) -> str:
        """All of it, for a terminal."""
        return f"{self.before}\n\n{render(self.table, None)}\n\n{self.after}"
