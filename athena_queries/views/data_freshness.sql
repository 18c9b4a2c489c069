-- one row: how far the numbers reach, and when they were made
with

last_run as (
    select
        *,
        row_number() over (order by completed_at desc, run_id desc) as position,
        count(*) over () as runs
    from refresh_runs
)

select
    as_of,
    today,
    completed_at as refreshed_at,
    command,
    runs,
    objects_failed,
    total_lines
from last_run
where position = 1
