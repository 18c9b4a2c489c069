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
    select *
    from orders_by_period
    where grain = 'range' and dimension = 'total'
),

all_orders as (
    select
        period,
        sum(orders) as orders
    from order_totals
    group by period
),

main_orders as (
    select *
    from order_totals
    where is_main
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

ranked_durations as (
    select
        ranges.period,
        sessions.duration_ms,
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
        count(*) as sessions
    from ranked_durations
    group by period
),

pages as (
    select
        ranges.period,
        sum(sessions.page_views) as page_views,
        sum(sessions.engaged_ms) as engaged_ms,
        count(*) as sessions
    from sessions
    inner join ranges on sessions.session_date between ranges.first_date and ranges.last_date
    group by ranges.period
),

total_rates as (
    select *
    from rates
    where dimension = 'total'
),

shown as (
    select *
    from (
        values
        (4, 'conversion_rate'),
        (5, 'person_conversion_rate'),
        (9, 'bounce_rate'),
        (10, 'engagement_rate')
    ) as rate_names (position, metric)
),

figures as (
    select
        ranges.period,
        1 as position,
        'sessions' as metric,
        cast(coalesce(traffic.sessions, 0) as double) as value,
        cast(null as double) as low,
        cast(null as double) as high,
        'count' as unit,
        cast(null as bigint) as n
    from ranges
    left join traffic on ranges.period = traffic.period

    union all

    select
        ranges.period,
        2,
        'visitors',
        cast(coalesce(actives.visitors, 0) as double),
        null,
        null,
        'count',
        null
    from ranges
    left join actives on ranges.period = actives.period

    union all

    select
        ranges.period,
        3,
        'persons',
        cast(coalesce(actives.persons, 0) as double),
        null,
        null,
        'count',
        null
    from ranges
    left join actives on ranges.period = actives.period

    union all

    select
        ranges.period,
        shown.position,
        shown.metric,
        total_rates.rate,
        total_rates.low,
        total_rates.high,
        'rate',
        coalesce(total_rates.n, 0)
    from ranges
    cross join shown
    left join total_rates on ranges.period = total_rates.period and shown.metric = total_rates.metric

    union all

    select
        ranges.period,
        6,
        'orders',
        cast(coalesce(all_orders.orders, 0) as double),
        null,
        null,
        'count',
        null
    from ranges
    left join all_orders on ranges.period = all_orders.period

    union all

    select
        ranges.period,
        7,
        'net_revenue',
        cast(coalesce(main_orders.net_revenue, 0) as double),
        null,
        null,
        main_currency.currency,
        coalesce(main_orders.orders, 0)
    from ranges
    cross join main_currency
    left join main_orders on ranges.period = main_orders.period

    union all

    select
        ranges.period,
        8,
        'average_order_value',
        main_orders.average_order_value,
        null,
        null,
        main_currency.currency,
        coalesce(main_orders.orders, 0)
    from ranges
    cross join main_currency
    left join main_orders on ranges.period = main_orders.period

    union all

    select
        ranges.period,
        11,
        'median_session_duration',
        cast(session_means.median_duration_ms as double) / 1e3,
        null,
        null,
        'seconds',
        coalesce(session_means.sessions, 0)
    from ranges
    left join session_means on ranges.period = session_means.period

    union all

    select
        ranges.period,
        12,
        'pages_per_session',
        cast(pages.page_views as double) / cast(pages.sessions as double),
        null,
        null,
        'ratio',
        coalesce(pages.sessions, 0)
    from ranges
    left join pages on ranges.period = pages.period

    union all

    select
        ranges.period,
        13,
        'engaged_time_per_session',
        cast(pages.engaged_ms as double) / 1e3 / cast(pages.sessions as double),
        null,
        null,
        'seconds',
        coalesce(pages.sessions, 0)
    from ranges
    left join pages on ranges.period = pages.period

    union all

    select
        ranges.period,
        14,
        'events',
        cast(coalesce(traffic.events, 0) as double),
        null,
        null,
        'count',
        null
    from ranges
    left join traffic on ranges.period = traffic.period
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
