-- one row per period, dimension and value: sessions, orders, money and rates of a part of the shop
--
-- Orders count in every currency; money is in the main currency, the average of its orders alone.
with

order_sums as (
    select
        period,
        dimension,
        value,
        sum(orders) as orders,
        sum(case when is_main then net_revenue end) as net_revenue,
        max(case when is_main then average_order_value end) as average_order_value,
        max(case when is_main then currency end) as currency
    from orders_by_period
    where grain = 'range'
    group by
        period,
        dimension,
        value
),

traffic as (
    select *
    from traffic_by_period
    where grain = 'range' and dimension <> 'event_type'
),

keys as (
    select
        period,
        dimension,
        value
    from order_sums

    union

    select
        period,
        dimension,
        value
    from traffic
),

key_rates as (
    select
        period,
        dimension,
        value,
        max(case when metric = 'conversion_rate' then rate end) as conversion_rate,
        max(case when metric = 'conversion_rate' then low end) as conversion_low,
        max(case when metric = 'conversion_rate' then high end) as conversion_high,
        max(case when metric = 'bounce_rate' then rate end) as bounce_rate
    from rates
    where metric in ('conversion_rate', 'bounce_rate')
    group by
        period,
        dimension,
        value
)

select
    keys.period,
    keys.dimension,
    keys.value,
    coalesce(traffic.events, 0) as events,
    coalesce(traffic.sessions, 0) as sessions,
    coalesce(traffic.sessions_with_order, 0) as sessions_with_order,
    key_rates.conversion_rate,
    key_rates.conversion_low,
    key_rates.conversion_high,
    key_rates.bounce_rate,
    coalesce(order_sums.orders, 0) as orders,
    coalesce(order_sums.net_revenue, 0) as net_revenue,
    order_sums.average_order_value,
    order_sums.currency
from keys
left join traffic
    on keys.period = traffic.period and keys.dimension = traffic.dimension and keys.value = traffic.value
left join order_sums
    on keys.period = order_sums.period and keys.dimension = order_sums.dimension and keys.value = order_sums.value
left join key_rates
    on keys.period = key_rates.period and keys.dimension = key_rates.dimension and keys.value = key_rates.value
