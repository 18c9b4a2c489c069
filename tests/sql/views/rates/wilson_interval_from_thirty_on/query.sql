select *
from rates
where period = 'all' and dimension = 'country' and metric = 'conversion_rate'
