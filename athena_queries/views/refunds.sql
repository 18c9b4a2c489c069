-- one row per refund: value is what counts, goods only and never more than the order still holds
select
    orders.order_id,
    refund.refund_id,
    refund.event_id,
    refund.refund_date,
    refund.refunded_at,
    orders.order_date,
    date_diff('day', orders.order_date, refund.refund_date) as days_after_order,
    orders.currency,
    refund.value,
    orders.value as order_value,
    orders.is_cancelled,
    orders.is_bot,
    orders.country
from orders
cross join unnest(orders.refunds) as refund (refund_id, event_id, refunded_at, refund_date, value)
