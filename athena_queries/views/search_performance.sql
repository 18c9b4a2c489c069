-- one row per period and search term: searches, those without a result, and orders after them
with

sums as (
    select
        periods.period,
        search_terms.term,
        sum(search_terms.searches) as searches,
        sum(search_terms.zero_result_searches) as zero_result_searches,
        sum(search_terms.sessions) as sessions,
        sum(search_terms.sessions_with_order) as sessions_with_order
    from search_terms
    inner join periods on search_terms.event_date between periods.first_date and periods.last_date
    where periods.grain = 'range'
    group by
        periods.period,
        search_terms.term
),

zeros as (
    select *
    from rates
    where dimension = 'search_term' and metric = 'zero_result_rate'
),

conversions as (
    select *
    from rates
    where dimension = 'search_term' and metric = 'search_conversion_rate'
)

select
    sums.*,
    zeros.rate as zero_result_rate,
    conversions.rate as conversion_rate,
    conversions.low as conversion_low,
    conversions.high as conversion_high
from sums
left join zeros on sums.period = zeros.period and sums.term = zeros.value
left join conversions on sums.period = conversions.period and sums.term = conversions.value
