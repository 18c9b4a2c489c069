-- one row per period, dimension and value: sessions, orders, money and rates of a part of the shop
--
-- Orders count in every currency; money is in the main currency.
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

conversions as (
    select *
    from rates
    where metric = 'conversion_rate'
),

bounces as (
    select *
    from rates
    where metric = 'bounce_rate'
)

select
    keys.period,
    keys.dimension,
    keys.value,
    coalesce(traffic.events, 0) as events,
    coalesce(traffic.sessions, 0) as sessions,
    coalesce(traffic.sessions_with_order, 0) as sessions_with_order,
    conversions.rate as conversion_rate,
    conversions.low as conversion_low,
    conversions.high as conversion_high,
    bounces.rate as bounce_rate,
    coalesce(order_sums.orders, 0) as orders,
    coalesce(order_sums.net_revenue, 0) as net_revenue,
    order_sums.average_order_value,
    order_sums.currency
from keys
left join traffic
    on keys.period = traffic.period and keys.dimension = traffic.dimension and keys.value = traffic.value
left join order_sums
    on keys.period = order_sums.period and keys.dimension = order_sums.dimension and keys.value = order_sums.value
left join conversions
    on keys.period = conversions.period and keys.dimension = conversions.dimension and keys.value = conversions.value
left join bounces
    on keys.period = bounces.period and keys.dimension = bounces.dimension and keys.value = bounces.value
