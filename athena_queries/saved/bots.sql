-- Bots: events, visits set aside and browsers by reason, in the last 30 days
with

last_days as (
    select
        event_id,
        visitor_id,
        set_aside_session_id,
        bot_reasons
    from events
    where
        is_bot
        and not is_test
        and event_date > (
            select cast(date_add('day', -30, max(last_date)) as date)
            from periods
        )
)

select
    reason,
    count(*) as events,
    count(distinct set_aside_session_id) as visits_set_aside,
    count(distinct visitor_id) as browsers
from last_days
cross join unnest(bot_reasons) as t (reason)
group by reason
order by
    events desc,
    reason
