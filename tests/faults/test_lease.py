"""The lease and the reading of raw objects, with a line that breaks at the wrong moment."""

from datetime import timedelta
from email.utils import format_datetime

import pytest
from pyspark.sql.types import IntegerType, StructType

from clicklake import endpoints
from clicklake.paths import JOURNAL_KEY, LEASE_KEY
from glue_jobs.lease import Journal, Lease, LeaseLost, read_journal, write_journal
from glue_jobs.raw_objects import LineBatch, _Bodies, _read_object
from glue_jobs.transforms.json_lines import JsonLines
from tests.faults.proxy import Fault, Proxy, Rule, cut_body, gets_raw, lose_answer, puts, puts_lease, refuse

KEY = "raw/year=2026/month=09/day=07/hour=12/events-a-1.ndjson.gz"


@pytest.fixture
def proxy(lake, monkeypatch):
    with Proxy(lake.endpoint_url).serving() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def test_a_lease_whose_answer_was_lost_is_held_all_the_same(lake, proxy):
    said = []
    proxy.plan(Rule(puts_lease, lose_answer()))
    with Lease(endpoints.client("s3"), lake.bucket, "run-1", say=said.append) as lease:
        lease.check()
    assert said == []


def test_a_renewal_whose_answer_was_lost_keeps_the_lease(lake, proxy):
    lease = Lease(endpoints.client("s3"), lake.bucket, "run-1")
    assert lease._try_to_take()
    proxy.plan(Rule(puts_lease, lose_answer()))
    lease._extend()
    lease._extend()
    lease.check()


def test_a_renewal_after_another_took_the_lease_is_refused(lake, proxy):
    s3 = endpoints.client("s3")
    lease = Lease(s3, lake.bucket, "run-1")
    assert lease._try_to_take()
    s3.put_object(Bucket=lake.bucket, Key=LEASE_KEY, Body=b'{"holder": "run-2"}')
    with pytest.raises(s3.exceptions.ClientError):
        lease._extend()


def test_a_run_that_cannot_give_its_lease_back_has_not_failed(lake, proxy):
    said = []
    s3 = endpoints.client("s3", retries={"total_max_attempts": 1})
    with Lease(s3, lake.bucket, "run-1", say=said.append):
        proxy.plan(Rule(puts_lease, refuse(), times=None))
    assert len(said) == 1


def test_nothing_is_committed_once_the_lease_was_given_back(lake):
    with Lease(endpoints.client("s3"), lake.bucket, "run-1") as lease:
        lease.check()
    with pytest.raises(LeaseLost):
        lease.check()


def test_a_lease_that_was_not_renewed_in_time_is_lost(lake, proxy):
    lease = Lease(endpoints.client("s3"), lake.bucket, "run-1", seconds=0.0)
    assert lease._try_to_take()
    with pytest.raises(LeaseLost):
        lease.check()


@pytest.mark.parametrize(("age_seconds", "is_taken"), [(60, False), (61, True)])
def test_a_lease_is_taken_over_only_when_it_has_run_out_by_the_finest_clock(lake, proxy, age_seconds, is_taken):
    s3 = endpoints.client("s3")
    assert Lease(s3, lake.bucket, "run-1", seconds=60.0)._try_to_take()
    written_at = s3.head_object(Bucket=lake.bucket, Key=LEASE_KEY)["LastModified"]

    def answer_later(parsed, **_):
        parsed["ResponseMetadata"]["HTTPHeaders"]["date"] = format_datetime(written_at + timedelta(seconds=age_seconds))

    s3.meta.events.register("after-call.s3.GetObject", answer_later)
    assert Lease(s3, lake.bucket, "run-2", seconds=60.0)._try_to_take() == is_taken


@pytest.mark.parametrize("first", [True, False])
def test_a_journal_that_lands_after_another_runs_is_refused(lake, proxy, first):
    s3 = endpoints.client("s3")
    if not first:
        write_journal(s3, lake.bucket, Journal("run-0", {}), None)
    found = read_journal(s3, lake.bucket)

    def other_run() -> None:
        proxy.plan()
        write_journal(s3, lake.bucket, Journal("run-2", {"events": 1}), found)

    proxy.plan(Rule(puts, Fault(before=other_run)))
    with pytest.raises(LeaseLost):
        write_journal(s3, lake.bucket, Journal("run-1", {"events": None}), found)
    kept = read_journal(s3, lake.bucket)
    assert (kept.run_id, kept.before) == ("run-2", {"events": 1})


def test_a_journal_whose_answer_was_lost_is_written_all_the_same(lake, proxy):
    s3 = endpoints.client("s3")
    lost = Rule(lambda request: request.name == JOURNAL_KEY and puts(request), lose_answer())
    proxy.plan(lost)
    write_journal(s3, lake.bucket, Journal("run-1", {"events": 1}), None)
    assert lost.struck
    assert read_journal(s3, lake.bucket).run_id == "run-1"


@pytest.mark.parametrize(("cuts", "fault"), [(2, None), (3, "not fetched: ")])
def test_a_body_that_breaks_off_is_fetched_again(lake, proxy, cuts, fault):
    s3 = endpoints.client("s3")
    s3.put_object(Bucket=lake.bucket, Key=KEY, Body=b'{"a": 1}\n')
    proxy.plan(Rule(gets_raw, cut_body(), times=cuts))
    item = {"object": KEY, "bytes": 9, "promised": 1, "is_in_raw": True, "packed": None}
    batch = LineBatch(JsonLines(StructType().add("a", IntegerType())))
    for _ in _read_object(_Bodies(s3, lake.bucket), item, batch):
        pass
    *lines, end = batch.take().to_pylist()
    assert [(row["line"], row["raw_line"], row["parsed"]["a"]) for row in lines] == (
        [] if fault else [(1, '{"a": 1}', 1)]
    )
    assert end["line"] == 0
    assert (end["fault"] or "").startswith(fault or "")
    assert bool(end["fault"]) == bool(fault)
