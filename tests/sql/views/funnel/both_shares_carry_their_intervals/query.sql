select *
from funnel
where period = 'all' and step in (2, 4)
