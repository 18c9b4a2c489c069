"""Sixty days of a made-up shop as the lake's tables, the same for the same seed.

It is a stand-in to draw pictures from: sessions and orders are drawn at random and the daily tables
are summed from them, without the job's rules for time, repeats and consent.
"""

import random
import tempfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from glue_jobs.tables import TABLES
from tests.sql.engines import open_folder

FIRST_DAY = date(2026, 3, 1)
CHANNELS = {
    "Organic Search": 34,
    "Direct": 24,
    "Paid Search": 16,
    "Organic Social": 9,
    "Email": 7,
    "Referral": 5,
    "Paid Social": 4,
    "AI Assistants": 1,
}
COUNTRIES = {
    "DE": 30,
    "US": 16,
    "FR": 12,
    "GB": 10,
    "NL": 7,
    "AT": 6,
    "ES": 5,
    "IT": 5,
    "PL": 4,
    "CH": 3,
    "SE": 1,
    "JP": 1,
}
DEVICES = {"mobile": 58, "desktop": 36, "tablet": 6}
TERMS = {
    "laptop": 30,
    "usb c cable": 22,
    "gaming mouse": 18,
    "monitor 27": 14,
    "standing desk": 8,
    "e-ink reader": 7,
    "<script>alert('x')</script>": 3,
    '=HYPERLINK("http://x.test")': 3,
    "webcam & microphone": 6,
}
NOTHING_FOUND = {
    "standing desk",
    "e-ink reader",
    "<script>alert('x')</script>",
    '=HYPERLINK("http://x.test")',
}
PRODUCTS = [
    (f"p{number:02}", f"{kind} {model}", kind, Decimal(price))
    for number, (kind, model, price) in enumerate(
        (kind, model, base + 17 * index)
        for kind, base in (
            ("Laptop", 690),
            ("Mouse", 19),
            ("Monitor", 149),
            ("Keyboard", 39),
            ("Headset", 59),
        )
        for index, model in enumerate(("Air", "Pro", "Mini", 'Max <13">', "Studio"))
    )
]


def draw(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def make_tables(days: int = 60, sessions_a_day: int = 110, seed: int = 7) -> dict[str, pa.Table]:
    """Every table of the lake by name, with the columns and types of glue_jobs/tables.py."""
    chance = random.Random(seed)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for number in range(days):
        _add_day(chance, rows, FIRST_DAY + timedelta(days=number), number, sessions_a_day)
    if days:
        _add_runs(rows, FIRST_DAY + timedelta(days=days - 1))
        _add_restatements(rows, FIRST_DAY + timedelta(days=days - 1))
    with tempfile.TemporaryDirectory() as folder:
        empty = open_folder(Path(folder))
        schemas = {name: empty.query(f"select * from {name}").schema for name in TABLES}
    tables = {name: pa.Table.from_pylist(rows[name], schemas[name]) for name in TABLES}
    for name, daily in _sum_days(tables).items():
        columns = {
            field.name: daily[field.name] if field.name in daily.column_names else None for field in schemas[name]
        }
        tables[name] = pa.Table.from_arrays(
            [
                pa.nulls(daily.num_rows, field.type)
                if columns[field.name] is None
                else columns[field.name].cast(field.type)
                for field in schemas[name]
            ],
            schema=schemas[name],
        )
    return tables


def _add_day(chance: random.Random, rows: dict[str, list], day: date, number: int, sessions_a_day: int) -> None:
    weekend = 0.78 if day.weekday() >= 5 else 1.0
    growth = 1 + 0.006 * number
    for _ in range(int(sessions_a_day * weekend * growth * chance.uniform(0.9, 1.1))):
        _add_session(chance, rows, day)
    for name, chances in (("bot", 40), ("plain", 25)):
        for _ in range(chances):
            key = f"{name}-{day}-{len(rows['events'])}"
            rows["events"].append(_event(key, day, "page_view", is_bot=name == "bot", country=draw(chance, COUNTRIES)))
    for _ in range(chance.randrange(4)):
        reason, field = chance.choice(
            (("bad_money", "items[0].price"), ("unknown_event_type", "event_type"), ("not_json", None))
        )
        rows["quarantine"].append(
            {
                "ingest_id": f"q{len(rows['quarantine'])}",
                "position": 0,
                "received_date": day,
                "reason": reason,
                "field": field,
                "received_at": datetime(day.year, day.month, day.day, 12),
                "raw_line": '{"<b>":1}',
            }
        )


def _event(key: str, day: date, kind: str, **values: Any) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 10)
    return {
        "event_id": key,
        "event_date": day,
        "ts_date": day,
        "occurred_at": at,
        "event_type": kind,
        "is_bot": False,
        "is_test": False,
        "position": 0,
        "line": 1,
        **values,
    }


def _add_session(chance: random.Random, rows: dict[str, list], day: date) -> None:
    number = len(rows["sessions"])
    session_id, visitor_id = f"s{number}", f"v{int(number * chance.uniform(0.55, 1))}"
    started_at = datetime(
        day.year, day.month, day.day, min(23, int(chance.triangular(6, 24, 20))), chance.randrange(60)
    )
    channel, device = draw(chance, CHANNELS), draw(chance, DEVICES)
    will = {"Email": 1.25, "Paid Search": 1.1, "Organic Social": 0.7}.get(channel, 1.0) * (
        1.25 if device == "desktop" else 0.9
    )
    step = 0
    for odds in (0.62, 0.34, 0.55, 0.62):
        if chance.random() > min(0.95, odds * will**0.5):
            break
        step += 1
    views = max(1, int(chance.expovariate(0.35)))
    engaged_ms = int(chance.expovariate(1 / 60_000)) if views > 1 or step else chance.randrange(9000)
    gaps = [started_at + timedelta(seconds=30 * (index + 1) + chance.randrange(90)) for index in range(4)]
    times = {
        name: gaps[index]
        for index, name in enumerate(("view_item_at", "add_to_cart_at", "begin_checkout_at", "purchase_at"))
        if index < step
    }
    country = draw(chance, COUNTRIES)
    ended_at = started_at + timedelta(milliseconds=engaged_ms * 2)
    is_engaged = engaged_ms >= 10_000 or views >= 2 or step >= 2
    session = {
        "session_id": session_id,
        "visitor_id": visitor_id,
        "session_date": day,
        "started_at": started_at,
        "ended_at": ended_at,
        "duration_ms": engaged_ms * 2,
        "events": views + step,
        "page_views": views,
        "product_views": min(step, 1),
        "searches": 0,
        "adds_to_cart": int(step > 1),
        "checkouts": int(step > 2),
        "purchases": int(step > 3),
        "key_events": max(0, step - 1),
        "engaged_ms": engaged_ms,
        "is_engaged": is_engaged,
        "is_bounce": not is_engaged,
        "is_single_page": views == 1 and not step,
        "has_purchase": step > 3,
        "funnel_step": step,
        "device_type": device,
        "country": country,
        "channel": channel,
        "source": channel.lower(),
        **times,
    }
    rows["sessions"].append(session)
    common = {"session_id": session_id, "visitor_id": visitor_id, "country": country, "device_type": device}
    for index in range(views + step):
        rows["events"].append(
            _event(f"e{number}-{index}", day, "page_view" if index < views else "view_item", **common)
        )
    if chance.random() < 0.22:
        term = draw(chance, TERMS)
        session["searches"] = 1
        found = 0 if term in NOTHING_FOUND else chance.randrange(1, 60)
        rows["events"].append(
            _event(f"e{number}-q", day, "search", search_query=term, results_count=found, **common)
            | {"occurred_at": started_at}
        )
    if step > 3:
        _add_order(chance, rows, session)


def _add_order(chance: random.Random, rows: dict[str, list], session: dict[str, Any]) -> None:
    product_id, name, category, price = chance.choice(PRODUCTS)
    quantity = chance.choice((1, 1, 1, 2))
    day, value = session["session_date"], price * quantity
    currency = "CHF" if session["country"] == "CH" else "EUR"
    refunded = value if chance.random() < 0.04 else Decimal(0)
    item = {"product_id": product_id, "name": name, "category": category, "price": price, "qty": quantity}
    refund_day = day + timedelta(days=5)
    refund = {
        "refund_id": f"r-{session['session_id']}",
        "refund_date": refund_day,
        "value": value,
        "refunded_at": datetime(refund_day.year, refund_day.month, refund_day.day, 9),
    }
    rows["orders"].append(
        {
            "order_id": f"o-{session['session_id']}",
            "order_date": day,
            "ordered_at": session["purchase_at"],
            "session_id": session["session_id"],
            "visitor_id": session["visitor_id"],
            "currency": currency,
            "value": value,
            "tax": value * Decimal("0.19"),
            "shipping": Decimal("4.90"),
            "gross_revenue": value * Decimal("1.19") + Decimal("4.90"),
            "refunded": refunded,
            "net_revenue": value - refunded,
            "items": [item],
            "refunds": [refund] if refunded else [],
            "is_cancelled": bool(refunded),
            "is_bot": False,
            "is_consented": True,
            "has_order_id": True,
            "repeats": 0,
            "conflicts": 0,
            "country": session["country"],
            "device_type": session["device_type"],
        }
    )


def _add_runs(rows: dict[str, list], last_day: date) -> None:
    stored, quarantined = len(rows["events"]), len(rows["quarantine"])
    repeats, lost = 400, 6
    rows["repeats"] += [{"object": "o", "line": number} for number in range(repeats)]
    received = stored + quarantined + repeats + lost
    rows["ingested_objects"].append({"object": "o", "lines": received, "lines_lost": lost})
    as_of = datetime(last_day.year, last_day.month, last_day.day, 20, 41)
    counts = {"lost": lost, "erased": 0, "quarantined": quarantined, "stored": stored, "duplicate": repeats}
    rows["refresh_runs"].append(
        {
            "run_id": "run-1",
            "command": "refresh",
            "started_at": as_of,
            "completed_at": as_of + timedelta(seconds=41),
            "as_of": as_of,
            "today": last_day,
            "objects": 1,
            "objects_failed": 0,
            "lines": received,
            "total_lines": received,
            "is_balanced": True,
            **{f"lines_{name}": count for name, count in counts.items()},
            **{f"total_{name}": count for name, count in counts.items()},
        }
    )


def _add_restatements(rows: dict[str, list], last_day: date) -> None:
    day = last_day - timedelta(days=3)
    for table, metric, slice_, old, new in (
        ("daily_traffic", "sessions", "total all", 1_250, 1_262),
        ("daily_traffic", "sessions", "country DE", 1, 2),
        ("daily_traffic", "duration_ms", "total all", 1, 2),
        ("daily_orders", "net_revenue", "CHF total all", 1_999, 1_850),
        ("daily_orders", "orders", "EUR total all", None, 1),
    ):
        row = {"event_date": day, "table_name": table, "metric": metric, "slice": slice_}
        numbers = {"old": None if old is None else Decimal(old), "new": Decimal(new)}
        rows["restatements"].append({"run_id": "run-1", **row, **numbers})


def _sum_days(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    connection = duckdb.connect()
    for name in ("sessions", "orders", "events"):
        connection.register(name, tables[name])
    dimensions = {"total": "'all'", "channel": "channel", "country": "country", "device_type": "device_type"}
    traffic = " union all ".join(
        f"""
        select session_date as event_date, '{name}' as dimension, {column} as value, count(*) as sessions,
            sum(events) + 25 as events, sum(page_views) as page_views, sum(product_views) as product_views,
            count(distinct visitor_id) as visitors, count(*) filter (where is_engaged) as engaged_sessions,
            count(*) filter (where is_bounce) as bounces, count(*) as sessions_with_page_view,
            count(*) filter (where is_single_page) as single_page_sessions, sum(duration_ms) as duration_ms,
            sum(engaged_ms) as engaged_ms, count(*) filter (where has_purchase) as sessions_with_order,
            25 as not_consented_events, 40 as bot_events, 24 as set_aside_events, 2 as set_aside_sessions
        from sessions group by all
        """
        for name, column in dimensions.items()
    )
    order_dimensions = {
        "total": "'all'",
        "channel": "channel",
        "country": "orders.country",
        "device_type": "orders.device_type",
    }
    money = " union all ".join(
        f"""
        select order_date as event_date, currency, '{name}' as dimension, {column} as value,
        count(*) as orders,
            0 as bot_orders, sum(gross_revenue) as gross_revenue,
            count(*) filter (where is_cancelled) as refunds,
            sum(refunded) as refunded, sum(net_revenue) as net_revenue, cast(0 as decimal(18,
            4)) as bot_net_revenue
        from orders left join sessions using (session_id) group by all
        """
        for name, column in order_dimensions.items()
    )
    connection.execute("create table catalogue (product_id varchar, product_name varchar, category varchar)")
    connection.executemany("insert into catalogue values (?, ?, ?)", [product[:3] for product in PRODUCTS])
    return {
        "daily_traffic": connection.execute(traffic).to_arrow_table(),
        "daily_orders": connection.execute(money).to_arrow_table(),
        "daily_active": connection.execute(
            """
            select session_date as event_date, count(distinct visitor_id) as visitors,
            count(distinct visitor_id) as persons,
                false as is_partial
            from sessions group by all
            """
        ).to_arrow_table(),
        "visitor_days": connection.execute(
            """
            select session_date as event_date, visitor_id, min(started_at) as first_active_at,
                max(ended_at) as last_active_at, 1 as active_events
            from sessions group by all
            """
        ).to_arrow_table(),
        "daily_products": connection.execute(
            """
            select order_date as event_date, product_id, currency, product_name, category,
            0 as impressions, 0 as clicks,
                0 as views, 0 as carts, 0 as carts_without_view, 0 as purchases,
                sum(items[1].qty) as quantity,
                sum(value) as revenue
            from orders inner join catalogue on product_id = items[1].product_id group by all
            union all
            select session_date, product_id, '', product_name, category,
                count(*) * 3, count(*), count(*), count(*) filter (where funnel_step > 1), 0,
                count(*) filter (where funnel_step > 3), 0, 0
            from sessions inner join catalogue on (hash(session_id) % 25)::int = substr(product_id, 2)::int
            where funnel_step > 0 group by all
            """
        ).to_arrow_table(),
    }
