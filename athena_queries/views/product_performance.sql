-- one row per period and product: attention, steps to the sale and revenue in the main currency
with

product_rates as (
    select
        period,
        value,
        max(case when metric = 'click_through_rate' then rate end) as click_through_rate,
        max(case when metric = 'add_to_cart_rate' then rate end) as add_to_cart_rate,
        max(case when metric = 'buy_rate' then rate end) as buy_rate,
        max(case when metric = 'buy_rate' then low end) as buy_low,
        max(case when metric = 'buy_rate' then high end) as buy_high
    from rates
    where dimension = 'product'
    group by
        period,
        value
)

select
    products.*,
    product_rates.click_through_rate,
    product_rates.add_to_cart_rate,
    product_rates.buy_rate,
    product_rates.buy_low,
    product_rates.buy_high
from products_by_period as products
left join product_rates on products.period = product_rates.period and products.product_id = product_rates.value
