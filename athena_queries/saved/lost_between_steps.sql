-- Lost between the steps: how many visits leave before each step of the funnel, by device
with

steps as (
    select
        sessions.device_type,
        funnel_steps.step,
        funnel_steps.step_name,
        count_if(sessions.funnel_step >= funnel_steps.step - 1) as reached_before,
        count_if(sessions.funnel_step >= funnel_steps.step) as reached
    from sessions
    inner join periods
        on periods.period = 'current' and sessions.session_date between periods.first_date and periods.last_date
    cross join (
        select distinct
            step,
            step_name
        from funnel_daily
        where step > 1
    ) as funnel_steps
    group by
        sessions.device_type,
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
