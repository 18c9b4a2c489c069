-- one row per order whose purchase has been seen, with the person and the session behind it
select
    orders.order_id,
    orders.order_date,
    orders.ordered_at,
    orders.session_id,
    orders.visitor_id,
    coalesce(spans.person_id, orders.visitor_id) as person_id,
    orders.currency,
    orders.value,
    orders.tax,
    orders.shipping,
    orders.discount,
    orders.gross_revenue,
    orders.refunded,
    orders.net_revenue,
    orders.coupon,
    cardinality(orders.items) as item_lines,
    coalesce(cardinality(orders.refunds), 0) as refunds,
    orders.is_cancelled,
    orders.is_bot,
    orders.is_consented,
    orders.has_order_id,
    orders.repeats,
    orders.conflicts,
    orders.country,
    orders.country_name,
    orders.continent,
    orders.device_type,
    sessions.source,
    sessions.medium,
    sessions.campaign,
    sessions.channel
from orders
left join sessions on orders.session_id = sessions.session_id
left join identity_spans as spans
    on
        orders.visitor_id = spans.visitor_id
        and orders.ordered_at >= spans.valid_from
        and (orders.ordered_at < spans.valid_until or spans.valid_until is null)
where orders.ordered_at is not null
