-- one row per period and step of the funnel: sessions, shares with interval, drop-off, median time
--
-- Open sessions (see session_steps) are in no count, share or median; they stand beside.
with

counts as (
    select
        periods.period,
        funnel_daily.step,
        funnel_daily.step_name,
        sum(funnel_daily.sessions) as sessions,
        sum(funnel_daily.sessions_before) as sessions_before,
        sum(funnel_daily.open_sessions) as open_sessions
    from funnel_daily
    inner join periods on funnel_daily.event_date between periods.first_date and periods.last_date
    where periods.grain = 'range'
    group by
        periods.period,
        funnel_daily.step,
        funnel_daily.step_name
),

closed as (
    select *
    from session_steps
    where not is_open
),

gaps as (
    select
        session_date,
        2 as step,
        date_diff('millisecond', view_item_at, add_to_cart_at) as gap_ms
    from closed
    where add_to_cart_at is not null

    union all

    select
        session_date,
        3 as step,
        date_diff('millisecond', add_to_cart_at, begin_checkout_at) as gap_ms
    from closed
    where begin_checkout_at is not null

    union all

    select
        session_date,
        4 as step,
        date_diff('millisecond', begin_checkout_at, purchase_at) as gap_ms
    from closed
    where purchase_at is not null
),

ranked_gaps as (
    select
        periods.period,
        gaps.step,
        gaps.gap_ms,
        row_number() over (partition by periods.period, gaps.step order by gaps.gap_ms) as position,
        count(*) over (partition by periods.period, gaps.step) as gaps
    from gaps
    inner join periods on gaps.session_date between periods.first_date and periods.last_date
    where periods.grain = 'range'
),

medians as (
    select
        period,
        step,
        cast(gap_ms as double) / 1e3 as median_seconds
    from ranked_gaps
    where position = ceil(cast(gaps as double) / 2)
),

step_rates as (
    select
        period,
        value,
        max(case when metric = 'share_of_previous' then rate end) as share_of_previous,
        max(case when metric = 'share_of_previous' then low end) as share_of_previous_low,
        max(case when metric = 'share_of_previous' then high end) as share_of_previous_high,
        max(case when metric = 'share_of_first' then rate end) as share_of_first,
        max(case when metric = 'share_of_first' then low end) as share_of_first_low,
        max(case when metric = 'share_of_first' then high end) as share_of_first_high
    from rates
    where dimension = 'funnel_step'
    group by
        period,
        value
)

select
    counts.period,
    counts.step,
    counts.step_name,
    counts.sessions,
    case when counts.step > 1 then counts.sessions_before - counts.sessions end as dropped,
    step_rates.share_of_previous,
    step_rates.share_of_previous_low,
    step_rates.share_of_previous_high,
    step_rates.share_of_first,
    step_rates.share_of_first_low,
    step_rates.share_of_first_high,
    medians.median_seconds,
    counts.open_sessions
from counts
left join medians on counts.period = medians.period and counts.step = medians.step
left join step_rates
    on counts.period = step_rates.period and cast(counts.step as varchar) = step_rates.value
