-- Devices: visits, conversion and money by kind of device in the last full four weeks
select
    value as device_type,
    sessions,
    conversion_rate,
    conversion_low,
    conversion_high,
    bounce_rate,
    orders,
    net_revenue,
    average_order_value,
    currency
from segments
where period = 'current' and dimension = 'device_type'
order by
    sessions desc,
    device_type
