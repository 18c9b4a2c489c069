from .lakes import DAY, NOON, line, ms, oracle_of

AT = ms(NOON)


def _owners(*events: tuple[int, str | None]) -> list[tuple[int, str]]:
    lines = [line(str(number), AT + at, user_id=user) for number, (at, user) in enumerate(events)]
    return [(row.valid_from - AT, row.person_id) for row in oracle_of(lines).identity.rows]


def test_a_b_a_are_three_rows_and_the_first_goes_back_30_days():
    assert _owners((0, "A"), (5, "A"), (10, "B"), (15, None), (20, "A")) == [(-30 * DAY, "A"), (10, "B"), (20, "A")]


def test_of_two_users_in_one_instant_the_later_by_id_is_in_force():
    assert _owners((0, "A"), (9, "B"), (9, "C")) == [(-30 * DAY, "A"), (9, "C")]


def test_a_visitor_stands_for_itself_before_its_first_owner():
    identity = oracle_of([line("a", user_id="A")]).identity
    assert identity.person("v", AT - 30 * DAY - 1) == "v"
    assert identity.person("v", AT - 30 * DAY) == "A"
    assert identity.person("w", AT) == "w"


def test_everyone_who_owned_a_shared_device_on_a_day_was_active_on_it():
    lines = [line("1", AT, user_id="A"), line("2", AT + 5, user_id="B"), line("3", AT + 9)]
    [persons] = oracle_of(lines).persons.values()
    assert persons == {"A", "B"}


def test_bots_and_tests_own_nothing():
    assert not oracle_of([line("a", user_id="A", is_bot=True), line("b", user_id="A", is_test=True)]).identity.rows
