-- Products: attention, steps to the sale and revenue of every product in the last full four weeks
select
    product_id,
    product_name,
    category,
    impressions,
    clicks,
    click_through_rate,
    views,
    carts,
    add_to_cart_rate,
    purchases,
    buy_rate,
    quantity,
    revenue
from product_performance
where period = 'current'
order by
    revenue desc,
    product_id
