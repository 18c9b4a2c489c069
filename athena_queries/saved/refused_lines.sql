-- Refused lines: why events were not taken, with an example of each
select
    reason,
    field,
    sum(lines) as lines,
    min(first_received_at) as first_received_at,
    max(last_received_at) as last_received_at,
    min(example) as example
from quarantine_reasons
group by
    reason,
    field
order by
    lines desc,
    reason,
    field
