select *
from product_performance
where period = 'all'
