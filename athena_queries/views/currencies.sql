-- one row per currency that orders were made in; the one with most orders is the main currency
with

totals as (
    select
        currency,
        sum(orders) as orders,
        sum(net_revenue) as net_revenue
    from daily_orders
    where dimension = 'total'
    group by currency
)

select
    currency,
    orders,
    net_revenue,
    row_number() over (order by orders desc, currency) = 1 as is_main
from totals
