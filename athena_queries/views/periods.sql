-- one row per period: all, current, previous, last_7_days and each day by its date
--
-- current holds the last full days (28 where there is history for it, else fewer, in whole weeks
-- where possible) and previous as many before; the last day is left out of both, because it may
-- not be over. Everything is relative to the greatest event_date, never to the clock.
with

days as (
    select distinct event_date
    from daily_traffic
    where dimension = 'total'
),

history as (
    select
        min(event_date) as first_date,
        max(event_date) as today,
        date_diff('day', min(event_date), max(event_date)) as full_days
    from days
    having count(*) > 0
),

lengths as (
    select
        history.first_date,
        history.today,
        history.full_days,
        cast(
            case
                when history.full_days >= 2 * metric_settings.period_days then metric_settings.period_days
                when history.full_days >= 14 then 7 * floor(cast(history.full_days as double) / 14)
                when history.full_days = 1 then 1
                else floor(cast(history.full_days as double) / 2)
            end as integer
        ) as period_days
    from history
    cross join metric_settings
),

ranges as (
    select
        'all' as period,
        first_date,
        today as last_date
    from lengths

    union all

    select
        'current' as period,
        cast(date_add('day', -period_days, today) as date) as first_date,
        case when period_days = 0 then today else cast(date_add('day', -1, today) as date) end as last_date
    from lengths

    union all

    select
        'previous' as period,
        cast(date_add('day', -2 * period_days, today) as date) as first_date,
        cast(date_add('day', -period_days - 1, today) as date) as last_date
    from lengths
    where period_days > 0 and full_days >= 2 * period_days

    union all

    select
        'last_7_days' as period,
        cast(date_add('day', -6, today) as date) as first_date,
        today as last_date
    from lengths
)

select
    period,
    'range' as grain,
    first_date,
    last_date,
    date_diff('day', first_date, last_date) + 1 as days
from ranges

union all

select
    cast(event_date as varchar) as period,
    'day' as grain,
    event_date as first_date,
    event_date as last_date,
    1 as days
from days
