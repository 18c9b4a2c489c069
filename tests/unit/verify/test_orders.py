from decimal import Decimal
from typing import Any

from clicklake.verify.orders import Order

from .lakes import DAY, NOON, line, ms, oracle_of

AT = ms(NOON)


def _orders(*events: dict[str, Any]) -> dict[str, Order]:
    return {order.order_id: order for order in oracle_of(events).orders}


def _purchase(event_id: str, at: int = AT, order_id: str | None = "o", **fields: Any) -> dict[str, Any]:
    return line(event_id, at, "purchase", order_id=order_id, **fields)


def _refund(event_id: str, at: int, refund_id: str | None = None, **fields: Any) -> dict[str, Any]:
    return line(event_id, at, "refund", order_id="o", refund_id=refund_id, **fields)


def test_the_earliest_purchase_is_the_order_and_others_are_repeats_or_conflicts():
    order = _orders(
        _purchase("c", AT + 9, value="21"), _purchase("b", AT, value="20"), _purchase("d", AT + 5, value="20")
    )["o"]
    assert (order.purchase.event_id, order.value, order.repeats, order.conflicts) == ("b", 20, 2, 1)


def test_gross_is_with_tax_and_shipping_and_net_is_goods_less_refunds():
    order = _orders(_purchase("a", value="20", tax="4", shipping="5"), _refund("b", AT + DAY, value="7.5"))["o"]
    assert (order.gross_revenue, order.net_revenue) == (29, Decimal("12.5"))


def test_a_missing_value_is_price_times_quantity_less_the_orders_discount_and_never_negative():
    items = [{"price": "10.5", "qty": 2, "discount": "1"}, {"price": "4"}, {"product_id": "gift"}]
    assert _orders(_purchase("a", items=items, discount="3"))["o"].value == 22
    assert _orders(_purchase("a", items=items, discount="99"))["o"].value == 0


def test_a_purchase_without_value_and_price_is_an_event_and_no_order():
    assert not _orders(_purchase("a", items=[{"product_id": "p"}]))


def test_a_purchase_without_an_order_id_is_one_by_its_event():
    assert list(_orders(_purchase("a", order_id=None, value="1"))) == ["event:a"]


def test_a_refund_is_known_by_its_id_and_the_earliest_counts():
    order = _orders(
        _purchase("a", value="20"), _refund("c", AT + 9, "r", value="7"), _refund("b", AT + 5, "r", value="5"),
        _refund("d", AT + 9, value="2"), _refund("e", AT + 9, value="2"),
    )["o"]  # fmt: skip
    assert [(refund.refund_id, refund.value) for refund in order.refunds] == [("r", 5), ("event:d", 2), ("event:e", 2)]


def test_refunds_never_take_more_than_remains_and_without_a_value_all_of_it():
    order = _orders(
        _purchase("a", value="20"), _refund("b", AT + 1, "r1", value="15"), _refund("c", AT + 2, "r2", value="15"),
        _refund("d", AT + 3, "r3"),
    )["o"]  # fmt: skip
    assert [refund.value for refund in order.refunds] == [15, 5, 0]
    assert order.is_cancelled
    assert _orders(_purchase("a", value="20"), _refund("b", AT + 1))["o"].net_revenue == 0


def test_a_refund_counts_on_its_own_day_in_daily_numbers():
    rows = oracle_of([_purchase("a", value="20"), _refund("b", AT + 3 * DAY, value="5")]).tables["daily_orders"]
    total = {str(row["event_date"]): row["net_revenue"] for row in rows if row["dimension"] == "total"}
    assert total == {"2026-03-02": 20, "2026-03-05": -5}


def test_bots_orders_count_and_are_shown_apart_and_tests_do_not():
    oracle = oracle_of([_purchase("a", value="20", is_bot=True), _purchase("b", order_id="t", value="9", is_test=True)])
    [total] = [row for row in oracle.tables["daily_orders"] if row["dimension"] == "total"]
    assert (total["orders"], total["bot_orders"], total["net_revenue"], total["bot_net_revenue"]) == (1, 1, 20, 20)


def test_orders_without_consent_count_and_have_no_channel():
    lines = [_purchase("a", value="20", anonymous_id=None, consent={"analytics": "denied", "marketing": "denied"})]
    rows = oracle_of(lines).tables["daily_orders"]
    assert {row["value"] for row in rows if row["dimension"] in ("channel", "source")} == {"(not consented)"}


def test_product_revenue_takes_no_discount_off_a_price_that_is_after_it():
    items = [{"product_id": "p", "price": "9", "qty": 2, "discount": "2"}]
    rows = oracle_of([_purchase("a", items=items)]).tables["daily_products"]
    assert [row["revenue"] for row in rows if row["currency"]] == [18]
