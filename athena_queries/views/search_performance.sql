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

term_rates as (
    select
        period,
        value,
        max(case when metric = 'zero_result_rate' then rate end) as zero_result_rate,
        max(case when metric = 'search_conversion_rate' then rate end) as conversion_rate,
        max(case when metric = 'search_conversion_rate' then low end) as conversion_low,
        max(case when metric = 'search_conversion_rate' then high end) as conversion_high
    from rates
    where dimension = 'search_term'
    group by
        period,
        value
)

select
    sums.*,
    term_rates.zero_result_rate,
    term_rates.conversion_rate,
    term_rates.conversion_low,
    term_rates.conversion_high
from sums
left join term_rates on sums.period = term_rates.period and sums.term = term_rates.value
