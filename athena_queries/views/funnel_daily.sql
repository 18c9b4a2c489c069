-- one row per day and step of the funnel: closed sessions that reached it, and those still open
--
-- Open sessions (see session_steps) are in no step.
with

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
    session_steps.session_date as event_date,
    steps.step,
    steps.step_name,
    count_if(session_steps.funnel_step >= steps.step and not session_steps.is_open) as sessions,
    count_if(session_steps.funnel_step >= steps.step - 1 and not session_steps.is_open) as sessions_before,
    count_if(session_steps.funnel_step >= 1 and not session_steps.is_open) as sessions_first,
    count_if(session_steps.funnel_step >= steps.step and session_steps.is_open) as open_sessions
from session_steps
cross join steps
group by
    session_steps.session_date,
    steps.step,
    steps.step_name
