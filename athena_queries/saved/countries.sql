-- Countries: visits, conversion and money by country in the last full four weeks
select
    segments.value as country,
    countries.country_name,
    countries.continent,
    segments.sessions,
    segments.conversion_rate,
    segments.conversion_low,
    segments.conversion_high,
    segments.orders,
    segments.net_revenue,
    segments.average_order_value,
    segments.currency
from segments
left join countries on segments.value = countries.country
where segments.period = 'current' and segments.dimension = 'country'
order by
    segments.sessions desc,
    country
