-- one row per period and channel: visits, conversion and money; (not consented) holds orders without a visit
select
    period,
    value as channel,
    sessions,
    sessions_with_order,
    conversion_rate,
    conversion_low,
    conversion_high,
    bounce_rate,
    orders,
    net_revenue,
    average_order_value,
    currency
from segments
where dimension = 'channel'
