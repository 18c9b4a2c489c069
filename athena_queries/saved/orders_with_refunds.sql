-- Orders with refunds: what was ordered, what went back, when and how much is left
select
    refunds.order_id,
    order_facts.order_date,
    refunds.refund_date,
    refunds.days_after_order,
    refunds.currency,
    order_facts.value as order_value,
    refunds.value as refund_value,
    order_facts.net_revenue,
    order_facts.is_cancelled,
    order_facts.channel
from refunds
left join order_facts on refunds.order_id = order_facts.order_id
order by
    refunds.refund_date desc,
    refunds.order_id,
    refunds.refund_id
