"""`clicklake query`."""

import sys

import pyarrow as pa

from clicklake.athena import AthenaEngine
from clicklake.cli.deployment import Deployment, find_deployment, in_plain_words
from clicklake.cli.show import as_csv, as_json, as_table, console
from clicklake.local.emulator import find_lake
from clicklake.local.places import TwinError
from clicklake.local.sql import QueryError, connect, parse, read_queries


def run_query(sql: str, output: str, limit: int, environment: str | None = None) -> None:
    """Prints the answer to a statement, or to a saved query by its name: the twin's, or a deployment's."""
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        raise TwinError("The query is not UTF-8 text: save it as such.") from error
    saved = read_queries("saved")
    name = sql.strip()
    if name not in saved and name and " " not in name and not name.endswith(";"):
        raise TwinError(f"There is no saved query {name!r}; choose one of: {', '.join(saved)}, or write a SELECT.")
    text = saved.get(name, sql)
    rows = ask_athena(find_deployment(environment), text) if environment else _ask_twin(text)
    if output == "csv":
        sys.stdout.reconfigure(newline="")
        print(as_csv(rows), end="")
    elif output == "json":
        print(as_json(rows))
    else:
        console.print(as_table(rows, limit=limit))


def read_stdin() -> str:
    """A query from standard input; what is not UTF-8 stays recognisable as such."""
    return sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape")


def _ask_twin(sql: str) -> pa.Table:
    lake = find_lake()
    lake.enter()
    try:
        return connect(lake.endpoints(), lake.database).query(sql)
    except QueryError as error:
        raise TwinError(str(error)) from error


def ask_athena(deployment: Deployment, sql: str) -> pa.Table:
    """The answer of the deployment's workgroup to one SELECT; TwinError says what Athena, or AWS, had against it."""
    try:
        parse(sql)  # whoever asks may have the right to drop a table; here only questions are sent
    except QueryError as error:
        raise TwinError(str(error)) from error
    from awswrangler.exceptions import QueryCancelled, QueryFailed  # half a second, and only where Athena is asked

    try:
        with in_plain_words():
            return AthenaEngine(deployment.database, deployment.workgroup).query(sql)
    except QueryFailed as error:
        raise TwinError(f"Athena: {_one_line(error)}") from error
    except QueryCancelled as error:
        raise TwinError(
            f"Athena ended the query ({_one_line(error)}): it may have read more than scan_limit_gb allows."
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def list_queries() -> None:
    """The saved queries and the views, each with its first comment line."""
    for kind, use in (("saved", "clicklake query NAME"), ("views", 'clicklake query "select * from NAME"')):
        texts = read_queries(kind)
        rows = pa.table({"name": list(texts), "what": [_first_line(text) for text in texts.values()]})
        console.print(as_table(rows, title=f"{kind.capitalize()}: {use}"))


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].removeprefix("--").strip()
