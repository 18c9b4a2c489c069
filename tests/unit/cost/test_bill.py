import json
import math
from dataclasses import replace

import pytest

from clicklake.cost.bill import bill, range_of
from clicklake.cost.configuration import DEFAULT
from clicklake.cost.levers import LEVERS
from clicklake.cost.refresh_time import MINIMUM_SECONDS, refresh_model
from clicklake.cost.usage import DAYS, REPORT_QUERIES, Workload, refreshes, usage
from dashboards.report.figures import read_figures
from lambdas.ingest.log import Told, log_line
from tests.sql.engines import open_tables
from tests.unit.report.sample_lake import make_tables

QUICK = refresh_model().scaled(0.001)


def test_a_month_by_hand():
    """Where a run is shorter than Glue's minute, the lines that matter can be worked out on paper."""
    model = replace(QUICK, core_seconds_per_object=0.0)
    month = bill(Workload(), model)
    by_key = {line.key: line for line in month.lines}
    reconciling = DAYS / 7
    assert by_key["glue_flex_dpu_hours"].usd == pytest.approx((DAYS + reconciling) * 2 * 60 / 3600 * 0.29, rel=1e-3)
    assert by_key["s3_puts"].parts["ingest"] == 17_280
    assert by_key["api_requests"].usd == pytest.approx((17_280 + 60) / 1e6)
    assert by_key["alarm_metrics"].usd == pytest.approx(0.30)
    assert by_key["alarm_metrics"].list_usd == pytest.approx(1.30)
    assert by_key["dashboards"].usd == 0 and by_key["dashboards"].list_usd == 3
    assert by_key["athena_tb"].usd == pytest.approx(REPORT_QUERIES * 10e6 * (DAYS + reconciling) / 1e12 * 5, rel=0.1)
    assert month.usd == pytest.approx(sum(month.by_service().values()))


def test_free_amounts_only_ever_lower_the_bill():
    for workload in (Workload(), Workload(1_000_000, 20, 5, 40), Workload(has_firewall=True)):
        month = bill(workload)
        assert all(0 <= line.usd <= line.list_usd for line in month.lines)
        assert month.usd < month.list_usd


def test_more_of_anything_never_costs_less():
    amounts = [bill(Workload(events_per_day=n)).list_usd for n in (100, 5_760, 100_000, 1_000_000)]
    cadences = [bill(Workload(refresh_minutes=minutes)).list_usd for minutes in (1_440, 360, 60, 5)]
    sizes = [bill(Workload(events_per_request=n)).list_usd for n in (100, 20, 10, 1)]
    for dollars in (amounts, cadences, sizes):
        assert dollars == sorted(dollars)


def test_the_gate_starts_nothing_in_an_interval_without_a_request():
    few = refreshes(Workload(events_per_day=240, refresh_minutes=60), QUICK)  # a request an hour
    assert few.runs == pytest.approx(DAYS * 24 * (1 - math.exp(-1)))
    many = refreshes(Workload(events_per_day=100_000, refresh_minutes=60), QUICK)
    assert many.runs == pytest.approx(DAYS * 24)


def test_a_run_shorter_than_a_minute_is_billed_a_minute():
    quick = refreshes(Workload(), QUICK)
    assert quick.seconds < MINIMUM_SECONDS
    assert quick.billed_seconds == pytest.approx(quick.all_runs * MINIMUM_SECONDS)


def test_runs_are_flex_where_nobody_waits_for_them():
    def classes(**chosen):
        return usage(Workload(**chosen)).keys() & {"glue_dpu_hours", "glue_flex_dpu_hours"}

    assert (
        classes() == classes(refresh_minutes=360) == classes(refresh_minutes=5, is_flex=True) == {"glue_flex_dpu_hours"}
    )
    assert classes(refresh_minutes=60) == classes(is_flex=False) == {"glue_dpu_hours"}


def test_the_gate_lists_few_hours_where_the_shop_is_busy_and_all_where_it_is_asleep():
    def listed(events_per_day):
        workload = Workload(events_per_day=events_per_day)
        return usage(workload, QUICK)["s3_puts"]["gate"] / (DAYS * 24)

    assert listed(100_000) < 5 < listed(24) < 16 < listed(2.4)


def test_runs_that_take_longer_than_the_interval_follow_one_another():
    late = refreshes(Workload(events_per_day=2_000_000, refresh_minutes=5))
    assert late.is_late and late.runs < DAYS * 288
    assert late.runs * late.seconds <= DAYS * 86_400
    assert not refreshes(Workload()).is_late


def test_more_than_the_workers_can_do_is_said():
    with pytest.raises(ValueError, match="take more of them"):
        bill(Workload(events_per_day=1_000_000_000, refresh_minutes=5))


def test_the_range_is_around_the_bill():
    low, high = range_of(Workload(refresh_minutes=5))
    assert low < bill(Workload(refresh_minutes=5)).usd < high


def test_every_lever_moves_a_bill():
    # Two do nothing as long as what is free suffices.
    busy = Workload(events_per_day=3_000_000, workers=20)
    for lever in LEVERS:
        assert lever.effect(busy) != 0, lever.name


def test_the_custom_metrics_are_those_that_the_functions_send():
    ordinary = json.loads(log_line(Told("r"), "Clicklake", 0))["_aws"]["CloudWatchMetrics"]
    assert sum(len(directive["Metrics"]) for directive in ordinary) == DEFAULT.steady_metrics
    sent = usage(Workload(refresh_minutes=5))["custom_metrics"]
    assert sum(sent.values()) == pytest.approx(DEFAULT.steady_metrics + DEFAULT.gate_metrics + DEFAULT.run_metrics)


def test_the_reports_queries_are_counted_as_it_asks_them():
    engine, asked = open_tables(make_tables(days=14, sessions_a_day=10)), []

    class Counting:
        def query(self, sql):
            asked.append(sql)
            return engine.query(sql)

    assert read_figures(Counting()) is not None
    assert len(asked) == REPORT_QUERIES
