-- Channels: visits, conversion and money by the way visitors came, in the last full four weeks
select
    channel,
    sessions,
    conversion_rate,
    conversion_low,
    conversion_high,
    bounce_rate,
    orders,
    net_revenue,
    average_order_value,
    currency
from channel_performance
where period = 'current'
order by
    net_revenue desc,
    sessions desc,
    channel
