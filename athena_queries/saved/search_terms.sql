-- Search terms: what visitors look for in the last full four weeks, what they do not find, what leads to orders
select
    term,
    searches,
    zero_result_searches,
    zero_result_rate,
    sessions,
    sessions_with_order,
    conversion_rate
from search_performance
where period = 'current'
order by
    searches desc,
    term
