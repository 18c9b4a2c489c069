import pytest

from clicklake.cost.refresh_time import BUSY_CORES, REQUEST_SECONDS, REQUESTS_AT_ONCE, fit, refresh_model


def point(lake_events: int, events: int, **measured: float) -> dict[str, float]:
    zero = {"objects": 0, "cpu_seconds": 0.0, "s3_puts": 0, "s3_gets": 0, "catalog": 0, "results_bytes": 0}
    return {**zero, "lake_events": lake_events, "events": events, **measured}


def test_a_line_through_the_runs_is_found_again():
    firsts = [point(0, n, cpu_seconds=50 + 0.001 * n, s3_puts=80 + n / 1000) for n in (1_000, 50_000, 400_000)]
    # 30 s whatever there is, 1 ms a new event, 2 ms an event that the lake has of a day (a tenth of it).
    days = [
        point(n, 5_000, cpu_seconds=30 + 5 + 0.002 * n / 10, s3_puts=95, s3_gets=700, objects=500, catalog=55)
        for n in (1_000, 50_000, 400_000)
    ]
    model = fit(firsts + days)
    assert model.core_seconds_per_event == pytest.approx(0.001)
    assert model.core_seconds_per_daily_event == pytest.approx(0.002)
    assert (model.puts, model.gets, model.catalog_requests) == (pytest.approx(90), 200, 55)
    waiting = (90 + 200 + 55) * REQUEST_SECONDS / REQUESTS_AT_ONCE
    assert model.base_seconds == pytest.approx(30 / BUSY_CORES + waiting)


def test_more_workers_divide_the_work_but_not_the_planning():
    model = refresh_model()
    two, ten = (model.seconds(1e6, 1e5, 1e6, workers) - model.seconds(0, 0, 0) for workers in (2, 10))
    listing = 5
    assert (two - listing) / (ten - listing) == pytest.approx(9, rel=1e-6)


def test_the_measured_runs_have_slopes_above_zero():
    model = refresh_model()
    assert min(model.base_seconds, model.core_seconds_per_event, model.core_seconds_per_daily_event) > 0
    assert model.results_bytes_per_event > 0 and model.puts > 0 and model.gets > 0


def test_a_job_half_as_quick_takes_twice_as_long():
    model = refresh_model()
    work = 1e6, 0, 1e6
    assert model.scaled(2).seconds(*work) == pytest.approx(2 * model.seconds(*work))
