"""`clicklake query`."""

import sys

import pyarrow as pa

from clicklake.cli.show import as_csv, as_json, as_table, console
from clicklake.local.emulator import find_lake
from clicklake.local.places import TwinError
from clicklake.local.sql import QueryError, connect, read_queries


def run_query(sql: str, output: str, limit: int) -> None:
    """Prints the answer to a statement, or to a saved query by its name."""
    saved = read_queries("saved")
    name = sql.strip()
    if name not in saved and name and " " not in name and not name.endswith(";"):
        raise TwinError(f"There is no saved query {name!r}; choose one of: {', '.join(saved)}, or write a SELECT.")
    lake = find_lake()
    lake.enter()
    try:
        rows = connect(lake.endpoints(), lake.database).query(saved.get(name, sql))
    except QueryError as error:
        raise TwinError(str(error)) from error
    if output == "csv":
        sys.stdout.reconfigure(newline="")
        print(as_csv(rows), end="")
    elif output == "json":
        print(as_json(rows))
    else:
        console.print(as_table(rows, limit=limit))


def list_queries() -> None:
    """The saved queries and the views, each with its first comment line."""
    for kind, use in (("saved", "clicklake query NAME"), ("views", 'clicklake query "select * from NAME"')):
        texts = read_queries(kind)
        rows = pa.table({"name": list(texts), "what": [_first_line(text) for text in texts.values()]})
        console.print(as_table(rows, title=f"{kind.capitalize()}: {use}"))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].removeprefix("--").strip()
