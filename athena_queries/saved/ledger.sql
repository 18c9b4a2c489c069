-- Ledger: where every received line went, run by run, the newest first
select
    run_id,
    command,
    completed_at,
    received,
    lost,
    erased,
    quarantined,
    stored,
    duplicate,
    is_balanced
from ledger
order by
    case when run_id = 'total' then 0 else 1 end,
    completed_at desc,
    run_id
