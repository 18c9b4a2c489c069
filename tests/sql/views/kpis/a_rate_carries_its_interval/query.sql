select *
from kpis
where period = 'all' and metric = 'conversion_rate'
