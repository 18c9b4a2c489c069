"""Athena as an engine: SQL in, an Arrow table out, by awswrangler.

    AthenaEngine(database="clickstream_db", workgroup="clicklake-prod").query("select * from kpis")

The same interface as the laptop's engine in clicklake/local/sql.py. It has not been run against Athena itself:
the emulator keeps queries without running them. See docs/not-verified-on-aws.md.
"""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class AthenaEngine:
    """The workgroup decides where results go, and ends a query that reads too much."""

    database: str
    workgroup: str

    def query(self, sql: str) -> pa.Table:
        """Raises awswrangler's QueryFailed with Athena's message."""
        frame = self._read(sql)
        # Without its index, and with null where pandas has a not-a-number.
        return pa.Table.from_pandas(frame, preserve_index=False)

    def _read(self, sql: str) -> Any:
        # Imported here: half a second, and only where a query is asked.
        import awswrangler as wr

        return wr.athena.read_sql_query(
            sql,
            database=self.database,
            workgroup=self.workgroup,
            # A plain query: the other ways write tables, or delete their results, and need rights for it.
            ctas_approach=False,
            keep_files=True,
        )
