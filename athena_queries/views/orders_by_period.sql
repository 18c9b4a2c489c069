-- one row per period, currency, dimension and value: orders, money and the average order value
with

sums as (
    select
        periods.period,
        periods.grain,
        daily_orders.currency,
        daily_orders.dimension,
        daily_orders.value,
        sum(daily_orders.orders) as orders,
        sum(daily_orders.bot_orders) as bot_orders,
        sum(daily_orders.gross_revenue) as gross_revenue,
        sum(daily_orders.refunds) as refunds,
        sum(daily_orders.refunded) as refunded,
        sum(daily_orders.net_revenue) as net_revenue,
        sum(daily_orders.bot_net_revenue) as bot_net_revenue
    from daily_orders
    inner join periods on daily_orders.event_date between periods.first_date and periods.last_date
    group by
        periods.period,
        periods.grain,
        daily_orders.currency,
        daily_orders.dimension,
        daily_orders.value
)

select
    sums.*,
    currencies.is_main,
    case
        when sums.orders >= metric_settings.min_n
            then cast(sums.net_revenue as double) / cast(sums.orders as double)
    end as average_order_value
from sums
inner join currencies on sums.currency = currencies.currency
cross join metric_settings
