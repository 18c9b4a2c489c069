-- Funnel: how many visits of the last full four weeks reach each step on the way to a purchase
select
    step,
    step_name,
    sessions,
    dropped,
    share_of_previous,
    share_of_previous_low,
    share_of_previous_high,
    share_of_first,
    share_of_first_low,
    share_of_first_high,
    median_seconds,
    open_sessions
from funnel
where period = 'current'
order by step
