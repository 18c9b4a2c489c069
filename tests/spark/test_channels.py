"""Channels and sources of visits, in the job, case by case as in the plain-Python reading of the definitions."""

from glue_jobs.transforms.channels import add_channel
from tests.spark.lakes import line, ms
from tests.unit.verify.test_channels import CHANNELS, VISITS

AT = ms("2026-09-07T12:00:00")


def test_the_first_rule_that_matches_names_the_channel(spark):
    rows = [(number, *case[:3]) for number, case in enumerate(CHANNELS)]
    visits = spark.createDataFrame(rows, "number int, source string, medium string, campaign string")
    found = {CHANNELS[row.number][:3]: row.channel for row in add_channel(visits).collect()}
    assert found == {case[:3]: case[3] for case in CHANNELS}


def test_the_source_of_a_visit(new_lake):
    lake = new_lake()
    lake.put(
        (
            line(f"{number}.{place}", f"v{number}", AT + 1000 * place, page_url=url, referrer=referrer)
            for number, (pages, _) in enumerate(VISITS)
            for place, (url, referrer) in enumerate(pages)
        ),
        "cases",
    )
    lake.run()
    found = {row[0]: row[1:] for row in lake.rows("sessions", "visitor_id", "source", "medium", "campaign")}
    assert found == {f"v{number}": visit for number, (_, visit) in enumerate(VISITS)}
