-- Unattended products: shown, but viewed or added to the cart less than the lowest tenth of their category
with

products as (
    select *
    from products_by_period
    where period = 'all' and impressions > 0
),

ranked as (
    select
        *,
        row_number() over (partition by category order by views) as rank_by_views,
        row_number() over (partition by category order by carts) as rank_by_carts,
        -- the 10th percentile is the value at rank ceil(n / 10)
        ceil(cast(count(*) over (partition by category) as double) / 10) as rank_of_tenth
    from products
),

tenths as (
    select
        category,
        max(case when rank_by_views = rank_of_tenth then views end) as tenth_of_views,
        max(case when rank_by_carts = rank_of_tenth then carts end) as tenth_of_carts
    from ranked
    group by category
)

select
    products.product_id,
    products.product_name,
    products.category,
    products.impressions,
    products.views,
    tenths.tenth_of_views,
    products.carts,
    tenths.tenth_of_carts
from products
inner join tenths
    on
        products.category = tenths.category
        and (products.views < tenths.tenth_of_views or products.carts < tenths.tenth_of_carts)
order by
    products.impressions desc,
    products.product_id
