"""What upkeep decides: which snapshots go, which days are closed, which objects share a pack."""

from datetime import date, datetime, timedelta, timezone

import pytest

from clicklake.paths import manifest_key, pack_key, read_pack_day
from glue_jobs import packs
from glue_jobs.lake import Snapshot
from glue_jobs.maintain_lake import UpkeepReport, choose_expired, last_closed_day
from glue_jobs.packs import join_packs, plan_packs
from glue_jobs.raw_objects import SPAN_BYTES, Packed, RawObject, _spans

NOON = datetime(2026, 9, 7, 12, tzinfo=timezone.utc)


def test_a_snapshot_goes_when_it_is_old_and_nothing_names_it():
    day = timedelta(days=1)
    history = [
        Snapshot(1, NOON - 3 * day, False),
        Snapshot(2, NOON - 2 * day, False),
        Snapshot(3, NOON - 2 * day, True),
        Snapshot(4, NOON - day, False),
    ]
    assert choose_expired(history, {2}, NOON - day) == [1]


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-09-07T12:00:00+00:00", date(2026, 9, 6)),
        ("2026-09-07T01:59:59+00:00", date(2026, 9, 5)),
        ("2026-09-07T02:00:00+00:00", date(2026, 9, 6)),
        ("2026-09-07T04:00:00+02:00", date(2026, 9, 6)),
    ],
)
def test_a_day_is_closed_when_no_listing_goes_back_to_it(now, day):
    assert last_closed_day(datetime.fromisoformat(now)) == day


def raw(name: str, size: int, day: int = 7) -> RawObject:
    return RawObject(f"raw/year=2026/month=09/day={day:02}/hour=10/events-{name}-1.ndjson.gz", size, 1, "etag")


def planned(objects: list[RawObject]) -> list[list[int]]:
    return [[item.bytes for item in plan.objects] for plan in plan_packs(objects, {o.key: (1, None) for o in objects})]


def test_a_pack_is_of_one_day_and_large_unless_the_day_is_small(monkeypatch):
    monkeypatch.setattr(packs, "PACK_BYTES", 10)
    assert planned([raw("a", 3), raw("b", 3), raw("c", 3, day=8)]) == [[3, 3], [3]]
    assert planned([raw(name, 4) for name in "abcdefgh"]) == [[4, 4, 4], [4, 4, 4, 4, 4]]
    assert planned([raw("a", 100), raw("b", 9)]) == [[100, 9]]


def test_what_no_refresh_has_read_is_not_packed():
    assert plan_packs([raw("a", 1)], {}) == []


def test_a_copy_in_a_pack_counts_only_for_the_bytes_that_raw_has():
    item = raw("a", 5)
    copy = Packed("processed/pack", 0, 5, "etag", "hash")
    gone = Packed("processed/pack", 5, 7, "etag", "hash")
    lost = raw("lost", 7).key
    joined = join_packs([item], {item.key: copy, lost: gone})
    assert joined == [RawObject(item.key, 5, 1, "etag", copy), RawObject(lost, 7, 1, "", gone)]
    other = Packed("processed/pack", 0, 5, "another", "hash")
    assert join_packs([item], {item.key: other}) == [item]


def test_neighbours_in_a_pack_are_fetched_together():
    def packed(name: str, offset: int, size: int, pack: str = "p") -> RawObject:
        return RawObject(name, size, 1, "", Packed(pack, offset, size, "", ""))

    a, b, hole, c = packed("a", 0, 5), packed("b", 5, 5), packed("hole", 11, 5), packed("c", 0, 5, "q")
    large = packed("large", 16, SPAN_BYTES)
    alone = raw("alone", 5)
    assert _spans([b, alone, large, c, hole, a]) == [[alone], [a, b], [hole], [large], [c]]


def test_a_manifest_lies_beside_its_pack():
    pack = pack_key(date(2026, 9, 7), "name")
    assert pack == "processed/year=2026/month=09/day=07/pack-name.ndjson.gz"
    assert manifest_key(pack) == "processed/year=2026/month=09/day=07/pack-name.manifest.json"
    assert read_pack_day(manifest_key(pack)) == date(2026, 9, 7)
    assert read_pack_day("processed/year=2026/month=13/day=07/pack-name.manifest.json") is None
    assert read_pack_day("processed/other") is None


def test_the_report_says_what_was_done_and_that_nothing_was():
    assert UpkeepReport("r", seconds=2).sentence() == "Nothing to do: the lake is in good order (2.0 s)."
    report = UpkeepReport("r", 3, 1200, 14, 0, 35, 0, 2, 288, 1_500_000, 12.34)
    assert report.sentence() == (
        "Compacted 1,200 files of 3 tables into 14, expired 35 snapshots, "
        "packed 288 raw objects (1.5 MB) into 2 packs (12.3 s)."
    )
