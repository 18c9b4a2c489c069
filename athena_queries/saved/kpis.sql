-- Key figures: every key figure of the whole history, with its unit and how many it rests on
select
    metric,
    value,
    unit,
    n
from kpis
where period = 'all'
order by position
