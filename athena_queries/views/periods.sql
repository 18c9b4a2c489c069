-- one row per period: all, current, previous, last_7_days and each day by its date
--
-- current holds the last full days (28 where there is history for it, else fewer, in whole weeks
-- where possible) and previous as many before; the last day is left out of both, because it may
-- not be over. Everything is relative to the greatest event_date, never to the clock.
with

history as (
    select
        min(event_date) as first_date,
        max(event_date) as today,
        date_diff('day', min(event_date), max(event_date)) as full_days
    from daily_traffic
    where dimension = 'total'
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

-- one reading for all of them: each place that names this view reads its tables anew
ranges as (
    select
        names.period,
        cast(
            case names.period
                when 'all' then lengths.first_date
                when 'current' then date_add('day', -lengths.period_days, lengths.today)
                when 'previous' then date_add('day', -2 * lengths.period_days, lengths.today)
                else date_add('day', -6, lengths.today)
            end as date
        ) as first_date,
        cast(
            case
                when names.period = 'current' and lengths.period_days > 0 then date_add('day', -1, lengths.today)
                when names.period = 'previous' then date_add('day', -lengths.period_days - 1, lengths.today)
                else lengths.today
            end as date
        ) as last_date
    from lengths
    cross join (values ('all'), ('current'), ('previous'), ('last_7_days')) as names (period)
    where
        names.period <> 'previous'
        or (lengths.period_days > 0 and lengths.full_days >= 2 * lengths.period_days)
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
from daily_traffic
where dimension = 'total'
group by event_date
