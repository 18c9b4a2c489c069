-- one row per day: traffic, active visitors, orders and money in the main currency
with

traffic as (
    select *
    from daily_traffic
    where dimension = 'total'
),

orders_of_day as (
    select
        period,
        sum(orders) as orders,
        max(case when is_main then currency end) as currency,
        sum(case when is_main then gross_revenue end) as gross_revenue,
        sum(case when is_main then refunded end) as refunded,
        sum(case when is_main then net_revenue end) as net_revenue,
        max(case when is_main then average_order_value end) as average_order_value
    from orders_by_period
    where grain = 'day' and dimension = 'total'
    group by period
),

day_rates as (
    select
        period,
        max(case when metric = 'conversion_rate' then rate end) as conversion_rate,
        max(case when metric = 'bounce_rate' then rate end) as bounce_rate,
        max(case when metric = 'engagement_rate' then rate end) as engagement_rate
    from rates
    where dimension = 'total'
    group by period
)

select
    traffic.event_date,
    traffic.event_date < max(traffic.event_date) over () as is_complete,
    traffic.events,
    traffic.page_views,
    traffic.product_views,
    traffic.not_consented_events,
    traffic.bot_events,
    traffic.set_aside_events,
    traffic.set_aside_sessions,
    coalesce(daily_active.visitors, 0) as visitors,
    coalesce(daily_active.persons, 0) as persons,
    coalesce(daily_active.visitors_7d, 0) as visitors_7d,
    coalesce(daily_active.visitors_30d, 0) as visitors_30d,
    coalesce(daily_active.is_partial, true) as is_partial,
    traffic.sessions,
    traffic.engaged_sessions,
    traffic.bounces,
    traffic.sessions_with_page_view,
    traffic.sessions_with_order,
    day_rates.conversion_rate,
    day_rates.bounce_rate,
    day_rates.engagement_rate,
    coalesce(orders_of_day.orders, 0) as orders,
    orders_of_day.currency,
    coalesce(orders_of_day.gross_revenue, 0) as gross_revenue,
    coalesce(orders_of_day.refunded, 0) as refunded,
    coalesce(orders_of_day.net_revenue, 0) as net_revenue,
    orders_of_day.average_order_value
from traffic
left join daily_active on traffic.event_date = daily_active.event_date
left join orders_of_day on cast(traffic.event_date as varchar) = orders_of_day.period
left join day_rates on cast(traffic.event_date as varchar) = day_rates.period
