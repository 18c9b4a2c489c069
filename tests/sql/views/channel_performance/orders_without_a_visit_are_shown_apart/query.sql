select *
from channel_performance
where period = 'all'
