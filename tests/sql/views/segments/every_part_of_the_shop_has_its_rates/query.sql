select *
from segments
where period = 'all'
