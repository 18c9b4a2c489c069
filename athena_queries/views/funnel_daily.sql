-- one row per day and step of the funnel: closed sessions that reached it, and those still open
--
-- A session is open until half an hour has passed without an event; open ones are in no step.
with

last_run as (
    select max(as_of) as as_of
    from refresh_runs
),

marked as (
    select
        sessions.session_date,
        sessions.funnel_step,
        coalesce(date_diff('millisecond', sessions.ended_at, last_run.as_of) <= 1800000, false) as is_open
    from sessions
    cross join last_run
),

steps as (
    select
        1 as step,
        'view_item' as step_name

    union all

    select
        2 as step,
        'add_to_cart' as step_name

    union all

    select
        3 as step,
        'begin_checkout' as step_name

    union all

    select
        4 as step,
        'purchase' as step_name
)

select
    marked.session_date as event_date,
    steps.step,
    steps.step_name,
    count_if(marked.funnel_step >= steps.step and not marked.is_open) as sessions,
    count_if(marked.funnel_step >= steps.step - 1 and not marked.is_open) as sessions_before,
    count_if(marked.funnel_step >= 1 and not marked.is_open) as sessions_first,
    count_if(marked.funnel_step >= steps.step and marked.is_open) as open_sessions
from marked
cross join steps
group by
    marked.session_date,
    steps.step,
    steps.step_name
