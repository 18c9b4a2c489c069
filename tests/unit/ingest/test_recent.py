from lambdas.ingest.recent import RecentIds


def test_an_id_is_known_until_its_time_is_over():
    recent = RecentIds(ttl_seconds=10)
    recent.add(["a"], now=100)
    assert recent.among("ab", now=109.9) == {"a"}
    assert not recent.among("ab", now=110)


def test_the_oldest_ids_make_room():
    recent = RecentIds(limit=3)
    recent.add("abcd", now=0)
    assert recent.among("abcd", now=1) == {"b", "c", "d"}


def test_a_million_ids_take_no_more_room_than_the_limit():
    recent = RecentIds(limit=1000)
    for number in range(1000):
        recent.add((str(number * 1000 + offset) for offset in range(1000)), now=number / 1000)
    assert len(recent) == 1000


def test_ids_out_of_time_are_let_go():
    recent = RecentIds(ttl_seconds=10)
    recent.add(["a", "b"], now=0)
    recent.add(["c"], now=20)
    assert len(recent) == 1
