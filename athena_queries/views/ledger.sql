-- one row per completed run and one for all of them (run_id total): where every received line went
with

runs as (
    select
        *,
        row_number() over (order by completed_at desc, run_id desc) = 1 as is_last
    from refresh_runs
)

select
    run_id,
    command,
    completed_at,
    lines as received,
    lines_lost as lost,
    lines_erased as erased,
    lines_quarantined as quarantined,
    lines_stored as stored,
    lines_duplicate as duplicate,
    lines = lines_lost + lines_erased + lines_quarantined + lines_stored + lines_duplicate as is_balanced
from runs

union all

select
    'total' as run_id,
    'all' as command,
    completed_at,
    total_lines as received,
    total_lost as lost,
    total_erased as erased,
    total_quarantined as quarantined,
    total_stored as stored,
    total_duplicate as duplicate,
    total_lines = total_lost + total_erased + total_quarantined + total_stored + total_duplicate as is_balanced
from runs
where is_last
