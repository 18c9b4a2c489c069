"""Facts of each visit, whatever the rates."""

from collections import defaultdict
from itertools import pairwise

from clicklake.shop.catalogue import local_cents
from clicklake.shop.journeys import FREE_SHIPPING_CENTS, VOUCHER
from clicklake.shop.visitors import Bot
from clicklake.shop.world import _EARTH_MS, Season, visits

from .conftest import UNTIL


def _visits(count: int) -> list:
    season = Season(60.0, UNTIL.date(), 30)
    return [visit for visit, _ in zip(visits(3, season, UNTIL.date()), range(count), strict=False)]


WALKED = _visits(3_000)


def test_visits_come_in_order_of_their_start():
    starts = [visit.started_at_ms for visit in WALKED]
    assert starts == sorted(starts)
    assert min(starts) >= UNTIL.timestamp() * 1000 - _EARTH_MS


def test_no_two_events_of_a_visit_share_a_moment():
    for visit in WALKED:
        moments = [event.happened_at_ms for event in visit.events]
        assert all(earlier < later for earlier, later in pairwise(moments))


def test_a_visit_starts_with_a_page_view():
    assert {visit.events[0].event_type for visit in WALKED} == {"page_view"}


def test_the_next_visit_starts_a_session_of_its_own():
    gaps = [visit.returns.starts_at_ms - visit.ended_at_ms for visit in WALKED if visit.returns]
    assert len(gaps) > 500
    assert min(gaps) > 1_800_000


def test_nobody_buys_without_going_through_the_checkout():
    bought = [visit for visit in WALKED if visit.order]
    assert len(bought) > 50
    for visit in bought:
        types = [event.event_type for event in visit.events]
        steps = ["view_cart", "begin_checkout", "add_shipping_info", "add_payment_info", "purchase"]
        places = [types.index(step) for step in steps]
        assert places == sorted(places)


def test_an_order_adds_up():
    for order in (visit.order for visit in WALKED if visit.order):
        goods = sum(line.price_cents * line.qty for line in order.lines)
        assert order.value_cents == goods - order.voucher_cents > 0
        discounts = order.voucher_cents + sum(line.discount_cents for line in order.lines)
        assert (discounts > 0) == bool(order.coupon)
        assert order.shipping_cents or order.value_cents >= local_cents(FREE_SHIPPING_CENTS, order.currency)


def test_a_coupon_is_in_the_price_and_a_voucher_is_not():
    orders = [visit.order for visit in WALKED if visit.order]
    with_coupon = [order for order in orders if order.coupon and order.coupon != VOUCHER]
    assert with_coupon and any(order.voucher_cents for order in orders)
    for order in with_coupon:
        assert order.voucher_cents == 0
        assert all(line.discount_cents > 0 for line in order.lines)


def test_a_refund_comes_after_its_order_and_all_of_an_order_are_never_more():
    ordered = {visit.order.order_id: visit for visit in WALKED if visit.order}
    refunded = [visit for visit in WALKED if visit.refund]
    assert refunded
    for visit in refunded:
        order = visit.refund.order
        assert visit.visitor.key == ordered[order.order_id].visitor.key
        assert 1 / 24 < (visit.started_at_ms - order.ordered_at_ms) / 86_400_000 < 40
    given: dict[str, int] = defaultdict(int)
    for refund in (visit.refund for visit in refunded):
        given[refund.order.order_id] += refund.value_cents
        assert 0 < given[refund.order.order_id] <= refund.order.value_cents


def test_bots_never_buy_or_scroll():
    crawled = [visit for visit in WALKED if visit.visitor.is_bot]
    assert {visit.visitor.bot for visit in crawled} == set(Bot)
    assert not {event.event_type for visit in crawled for event in visit.events} & {"page_leave", "purchase"}


def test_only_people_of_the_device_sign_in():
    for visit in WALKED:
        people = {event.person for event in visit.events if event.person}
        assert people <= set(visit.visitor.people)


def test_the_age_is_told_while_its_person_is_signed_in_and_never_else():
    told = [(event.props.get("user_age"), event.person) for visit in WALKED for event in visit.events]
    assert all(age == (person.age if person else None) for age, person in told)
    assert 0.05 < sum(age is not None for age, _ in told) / len(told) < 0.3
