-- Countries: visits, conversion and money by country in the last full four weeks
select
    value as country,
    sessions,
    conversion_rate,
    conversion_low,
    conversion_high,
    orders,
    net_revenue,
    average_order_value,
    currency
from segments
where period = 'current' and dimension = 'country'
order by
    sessions desc,
    country
