-- one row per period and key figure, in the order to show them
--
-- A rate carries its interval (low, high) and n; value is null where there is not enough data.
-- Net revenue and order value are in the main currency, which is their unit; their n are its orders alone.
with

ranges as (
    select *
    from periods
    where grain = 'range'
),

traffic as (
    select *
    from traffic_by_period
    where grain = 'range' and dimension = 'total'
),

order_totals as (
    select
        period,
        sum(orders) as orders,
        sum(case when is_main then orders end) as main_orders,
        sum(case when is_main then net_revenue end) as net_revenue,
        max(case when is_main then average_order_value end) as average_order_value
    from orders_by_period
    where grain = 'range' and dimension = 'total'
    group by period
),

main_currency as (
    select currency
    from currencies
    where is_main
),

actives as (
    select
        ranges.period,
        count(distinct person_days.visitor_id) as visitors,
        count(distinct person_days.person_id) as persons
    from person_days
    inner join ranges on person_days.event_date between ranges.first_date and ranges.last_date
    group by ranges.period
),

ranked_sessions as (
    select
        ranges.period,
        sessions.duration_ms,
        sessions.page_views,
        sessions.engaged_ms,
        row_number() over (partition by ranges.period order by sessions.duration_ms) as position,
        count(*) over (partition by ranges.period) as sessions
    from sessions
    inner join ranges on sessions.session_date between ranges.first_date and ranges.last_date
),

session_means as (
    select
        period,
        -- the median is the value at rank ceil(n / 2)
        max(case when position = ceil(cast(sessions as double) / 2) then duration_ms end) as median_duration_ms,
        sum(page_views) as page_views,
        sum(engaged_ms) as engaged_ms,
        count(*) as sessions
    from ranked_sessions
    group by period
),

total_rates as (
    select *
    from rates
    where dimension = 'total'
),

names as (
    select *
    from (
        values
        (1, 'sessions', 'count'),
        (2, 'visitors', 'count'),
        (3, 'persons', 'count'),
        (4, 'conversion_rate', 'rate'),
        (5, 'person_conversion_rate', 'rate'),
        (6, 'orders', 'count'),
        (7, 'net_revenue', 'money'),
        (8, 'average_order_value', 'money'),
        (9, 'bounce_rate', 'rate'),
        (10, 'engagement_rate', 'rate'),
        (11, 'median_session_duration', 'seconds'),
        (12, 'pages_per_session', 'ratio'),
        (13, 'engaged_time_per_session', 'seconds'),
        (14, 'events', 'count')
    ) as figure_names (position, metric, unit)
),

figures as (
    select
        ranges.period,
        names.position,
        names.metric,
        case names.metric
            when 'sessions' then cast(coalesce(traffic.sessions, 0) as double)
            when 'visitors' then cast(coalesce(actives.visitors, 0) as double)
            when 'persons' then cast(coalesce(actives.persons, 0) as double)
            when 'orders' then cast(coalesce(order_totals.orders, 0) as double)
            when 'net_revenue' then cast(coalesce(order_totals.net_revenue, 0) as double)
            when 'average_order_value' then order_totals.average_order_value
            when 'median_session_duration' then cast(session_means.median_duration_ms as double) / 1e3
            when 'pages_per_session'
                then cast(session_means.page_views as double) / cast(session_means.sessions as double)
            when 'engaged_time_per_session'
                then cast(session_means.engaged_ms as double) / 1e3 / cast(session_means.sessions as double)
            when 'events' then cast(coalesce(traffic.events, 0) as double)
            else total_rates.rate
        end as value,
        total_rates.low,
        total_rates.high,
        case names.unit when 'money' then main_currency.currency else names.unit end as unit,
        case
            when names.unit = 'rate' then coalesce(total_rates.n, 0)
            when names.unit = 'money' then coalesce(order_totals.main_orders, 0)
            when names.unit <> 'count' then coalesce(session_means.sessions, 0)
        end as n
    from ranges
    cross join names
    left join traffic on ranges.period = traffic.period
    left join actives on ranges.period = actives.period
    left join order_totals on ranges.period = order_totals.period
    left join session_means on ranges.period = session_means.period
    left join total_rates on ranges.period = total_rates.period and names.metric = total_rates.metric
    -- without orders there is no currency, and no figure in it
    left join main_currency on names.unit = 'money'
    where names.unit <> 'money' or main_currency.currency is not null
)

select
    period,
    position,
    metric,
    value,
    low,
    high,
    unit,
    n
from figures
