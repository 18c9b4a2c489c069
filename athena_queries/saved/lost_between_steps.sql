-- Lost between the steps: how many visits leave before each step of the funnel, by device
--
-- Visits that may still go on have not left and are in none of these.
with

steps as (
    select
        session_steps.device_type,
        funnel_steps.step,
        funnel_steps.step_name,
        count_if(session_steps.funnel_step >= funnel_steps.step - 1) as reached_before,
        count_if(session_steps.funnel_step >= funnel_steps.step) as reached
    from session_steps
    inner join periods
        on
            periods.period = 'current'
            and session_steps.session_date between periods.first_date and periods.last_date
    cross join (
        select distinct
            step,
            step_name
        from funnel_daily
        where step > 1
    ) as funnel_steps
    where not session_steps.is_open
    group by
        session_steps.device_type,
        funnel_steps.step,
        funnel_steps.step_name
)

select
    device_type,
    step,
    step_name,
    reached_before,
    reached,
    reached_before - reached as lost
from steps
order by
    lost desc,
    device_type,
    step
