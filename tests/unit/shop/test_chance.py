import uuid

from clicklake.shop.chance import Chance, Weighted


def test_a_named_stream_gives_these_values_on_every_python():
    chance = Chance(7, "visitor", "20260101.0")
    values = (
        chance.uuid(),
        chance.integer(1, 1_000_000),
        round(chance.normal(), 9),
        round(chance.around(10, 0.5), 9),
        chance.hex(6),
        chance.pick(Weighted([("a", 1), ("b", 2), ("c", 3)])),
    )
    assert values == (
        "9d4945c5-b34c-4c9c-8718-9b366b4063b2",
        260_924,
        0.334047149,
        15.721667322,
        "7265f3",
        "c",
    )


def test_ids_are_version_4_uuids():
    chance = Chance("ids")
    ids = [chance.uuid() for _ in range(200)]
    assert {(uuid.UUID(text).version, uuid.UUID(text).variant) for text in ids} == {(4, uuid.RFC_4122)}
    assert len(set(ids)) == 200


def test_things_are_picked_by_their_weight():
    weighted = Weighted([("rare", 1), ("never", 0), ("usual", 3)])
    chance = Chance("weights")
    picks = [chance.pick(weighted) for _ in range(4_000)]
    assert set(picks) == {"rare", "usual"}
    assert 0.22 < picks.count("rare") / len(picks) < 0.28


def test_half_of_a_log_normal_lies_below_its_median():
    chance = Chance("median")
    values = sorted(chance.around(10, 0.8) for _ in range(4_000))
    assert 9.4 < values[2_000] < 10.6
    assert values[0] > 0
