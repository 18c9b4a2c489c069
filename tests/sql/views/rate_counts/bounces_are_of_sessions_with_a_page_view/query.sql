select *
from rate_counts
where period = 'all' and dimension = 'channel'
