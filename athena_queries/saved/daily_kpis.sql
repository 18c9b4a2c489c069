-- Days: traffic, active visitors, conversion, orders and net revenue of every day
select
    event_date,
    is_complete,
    sessions,
    visitors,
    persons,
    conversion_rate,
    bounce_rate,
    orders,
    net_revenue,
    average_order_value,
    currency
from daily_kpis
order by event_date
