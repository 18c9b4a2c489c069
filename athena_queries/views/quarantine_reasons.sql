-- one row per day of receipt, reason and field: refused lines and one of them as an example
select
    received_date,
    reason,
    field,
    count(*) as lines,
    min(received_at) as first_received_at,
    max(received_at) as last_received_at,
    min(raw_line) as example
from quarantine
group by
    received_date,
    reason,
    field
