select *
from products_by_period
where period = 'all'
