-- one row per period and product: attention, steps to the sale and revenue in the main currency
with

clicks as (
    select *
    from rates
    where dimension = 'product' and metric = 'click_through_rate'
),

carts as (
    select *
    from rates
    where dimension = 'product' and metric = 'add_to_cart_rate'
),

buys as (
    select *
    from rates
    where dimension = 'product' and metric = 'buy_rate'
)

select
    products.*,
    clicks.rate as click_through_rate,
    carts.rate as add_to_cart_rate,
    buys.rate as buy_rate,
    buys.low as buy_low,
    buys.high as buy_high
from products_by_period as products
left join clicks on products.period = clicks.period and products.product_id = clicks.value
left join carts on products.period = carts.period and products.product_id = carts.value
left join buys on products.period = buys.period and products.product_id = buys.value
