select *
from funnel
where period = 'all'
