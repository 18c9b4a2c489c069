-- Devices: visits, conversion and money by kind of device in the last full four weeks
--
-- Bots' visits are set aside in all of these, so that a row of theirs would be empty.
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
where period = 'current' and dimension = 'device_type' and value <> 'bot'
order by
    sessions desc,
    device_type
