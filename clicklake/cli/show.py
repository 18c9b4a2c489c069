"""Arrow tables for people, spreadsheets and programs."""

import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clicklake.local.places import TwinError

console = Console(highlight=False)

# Excel and its kin run a cell that begins so. Source: OWASP, CSV injection.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def neutralised(text: str) -> str:
    """Text that a spreadsheet shows instead of running: `=HYPERLINK(...)` gets an apostrophe in front."""
    return "'" + text if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def as_csv(rows: pa.Table) -> str:
    """CSV with a header; text cells are neutralised, numbers and dates are as they are."""
    out = io.StringIO()
    writer = csv.writer(out)  # lines end as RFC 4180 has it; a lone \r inside a cell is quoted only so
    writer.writerow([neutralised(name) for name in rows.column_names])
    writer.writerows([[_csv_cell(value) for value in row] for row in _rows(rows)])
    return out.getvalue()


def as_json(rows: pa.Table) -> str:
    """A JSON array of objects; decimals are text, so that no digit is lost. Each column needs a name of its own."""
    twice = [name for name, times in Counter(rows.column_names).items() if times > 1]
    if twice:
        raise TwinError(f"Several columns are called {twice[0]!r}, and JSON would keep one: name them apart with AS.")
    listed = [dict(zip(rows.column_names, map(_json_value, row), strict=True)) for row in _rows(rows)]
    return json.dumps(listed, ensure_ascii=False, indent=2)


def as_table(rows: pa.Table, title: str | None = None, limit: int = 0) -> Table:
    """A table for the terminal; `limit` rows at most, 0 is all. A few wide rows are laid on their side."""
    shown = rows.slice(0, limit) if limit else rows
    if 0 < shown.num_rows <= 3 and shown.num_columns > 7:
        columns = zip(shown.column_names, shown.columns, strict=True)
        sideways = [[name, *map(_table_cell, column.to_pylist())] for name, column in columns]
        table = Table(title=title, title_justify="left", show_header=False)
        for line in sideways:
            table.add_row(*map(Text, line))
        return table
    table = Table(title=title, title_justify="left", header_style="bold", caption_justify="left")
    for field in rows.schema:
        is_number = (
            pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type)
        )
        table.add_column(Text(field.name), justify="right" if is_number else "left", overflow="fold")
    for row in _rows(shown):
        table.add_row(*[Text(_table_cell(value)) for value in row])
    if shown.num_rows < rows.num_rows:
        table.caption = f"{shown.num_rows:,} of {rows.num_rows:,} rows; --limit 0 shows all"
    return table


def _rows(rows: pa.Table) -> list[Sequence[Any]]:
    columns = [column.to_pylist() for column in rows.columns]
    return list(zip(*columns, strict=True)) if columns else []


def _csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else value
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    plain = _json_value(value)
    return neutralised(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))


def _json_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json_value(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def _table_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    text = value if isinstance(value, str) else str(_json_value(value))
    # A terminal obeys control characters, and visitors choose their search terms.
    return _CONTROL.sub("�", text)
