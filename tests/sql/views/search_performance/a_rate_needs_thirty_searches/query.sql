select *
from search_performance
where period = 'all'
