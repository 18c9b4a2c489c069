"""Tables that were lost, and others not: what is left is kept, and the lake can be made whole again."""

from datetime import date

import pytest

from glue_jobs.refresh_lake import RunsLost
from glue_jobs.tables import TABLES
from tests.spark.lakes import SmallLake, line

ALL_DAYS = {"command": "reparse", "first_day": date(1970, 1, 1), "last_day": date(2026, 12, 31)}


def filled(lake: SmallLake) -> SmallLake:
    """Two runs, each with an order, a repeat and a refused line."""
    for number, day in enumerate(("2026-09-07", "2026-09-08")):
        bought = {"order_id": f"o{number}", "value": "5", "user_id": "1.anna"}
        lake.put(
            [
                line(f"viewed{number}", "v1", f"{day}T12:00:00"),
                line(f"bought{number}", "v1", f"{day}T12:01:00", "purchase", **bought),
                line(f"bought{number}", "v1", f"{day}T12:01:00", "purchase", **bought, ingest_id="f" * 32),
                line(f"bad{number}", "v1", f"{day}T12:02:00", verdict="rejected", reason="unknown_type"),
            ],
            f"part{number}",
            f"{day}T12:00:00",
        )
        lake.run()
    return lake


def lose(lake: SmallLake, *tables: str) -> None:
    for table in tables:
        lake.spark.sql(f"drop table lake.{lake.settings.database}.{table}")


def test_events_that_are_left_alone_are_kept_and_the_rest_is_made_of_them(new_lake):
    lake = filled(new_lake())
    prints = lake.prints()
    lose(lake, *(set(TABLES) - {"events"}))

    with pytest.raises(RunsLost, match="reparse all days, or rebuild"):
        lake.run()
    assert lake.prints()["events"] == prints["events"]

    assert lake.run(command="rebuild").is_changed
    # What was refused is no event.
    assert {**lake.prints(), "quarantine": prints["quarantine"]} == prints

    lake.run(**ALL_DAYS)
    assert lake.prints() == prints
    lake.assert_every_line_has_one_outcome()


def test_events_that_were_lost_are_read_again_beside_what_outlived_them(new_lake):
    lake = filled(new_lake())
    prints = lake.prints()
    lose(lake, "events")
    assert lake.run(**ALL_DAYS).restated == 0
    assert lake.prints() == prints
    lake.assert_every_line_has_one_outcome()
