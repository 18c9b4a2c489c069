-- one row per period and product: pairs of a session and the product, units and revenue
with

daily as (
    select
        daily_products.*,
        -- of one day there may be a name for each currency: the order decides, always the same one
        cast(daily_products.event_date as varchar) || ' ' || daily_products.currency as seen_at,
        currencies.is_main
    from daily_products
    left join currencies on daily_products.currency = currencies.currency
)

select
    periods.period,
    daily.product_id,
    max_by(daily.product_name, daily.seen_at) filter (where daily.product_name is not null) as product_name,
    max_by(daily.category, daily.seen_at) filter (where daily.category is not null) as category,
    sum(daily.impressions) as impressions,
    sum(daily.clicks) as clicks,
    sum(daily.views) as views,
    sum(daily.carts) as carts,
    sum(daily.carts_without_view) as carts_without_view,
    sum(daily.purchases) as purchases,
    sum(daily.quantity) as quantity,
    sum(case when daily.is_main then daily.revenue else cast(0 as decimal(18, 4)) end) as revenue
from daily
inner join periods on daily.event_date between periods.first_date and periods.last_date
where periods.grain = 'range'
group by
    periods.period,
    daily.product_id
