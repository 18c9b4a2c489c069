-- one row per session: when it reached each step of the funnel, and whether it may still go on
--
-- A session is open until half an hour has passed without an event.
with

last_run as (
    select max(as_of) as as_of
    from refresh_runs
)

select
    sessions.session_id,
    sessions.session_date,
    sessions.device_type,
    sessions.funnel_step,
    sessions.view_item_at,
    sessions.add_to_cart_at,
    sessions.begin_checkout_at,
    sessions.purchase_at,
    coalesce(date_diff('millisecond', sessions.ended_at, last_run.as_of) <= 1800000, false) as is_open
from sessions
cross join last_run
