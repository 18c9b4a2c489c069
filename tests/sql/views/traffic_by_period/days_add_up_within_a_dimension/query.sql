select *
from traffic_by_period
where period = 'all'
