-- one row per period, dimension, value and metric: the two counts that a rate is made of
--
-- Every counted rate is defined here and nowhere else.
with

traffic as (
    select * from traffic_by_period
),

products as (
    select * from products_by_period
),

funnel_steps as (
    select
        periods.period,
        cast(funnel_daily.step as varchar) as step,
        sum(funnel_daily.sessions) as sessions,
        sum(funnel_daily.sessions_before) as sessions_before,
        sum(funnel_daily.sessions_first) as sessions_first
    from funnel_daily
    inner join periods on funnel_daily.event_date between periods.first_date and periods.last_date
    where periods.grain = 'range'
    group by
        periods.period,
        funnel_daily.step
),

searches as (
    select
        periods.period,
        search_terms.term,
        sum(search_terms.searches_with_count) as searches_with_count,
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

actives as (
    select distinct
        periods.period,
        person_days.person_id
    from person_days
    inner join periods on person_days.event_date between periods.first_date and periods.last_date
    where periods.grain = 'range'
),

buyers as (
    select distinct
        periods.period,
        order_facts.person_id
    from order_facts
    inner join periods on order_facts.order_date between periods.first_date and periods.last_date
    where
        periods.grain = 'range'
        and order_facts.is_consented
        and not order_facts.is_bot
),

persons as (
    select
        actives.period,
        count(buyers.person_id) as buyers,
        count(*) as persons
    from actives
    left join buyers
        on actives.period = buyers.period and actives.person_id = buyers.person_id
    group by actives.period
)

select
    period,
    dimension,
    value,
    'conversion_rate' as metric,
    sessions_with_order as numerator,
    sessions as n
from traffic
where dimension <> 'event_type'

union all

select
    period,
    dimension,
    value,
    'engagement_rate' as metric,
    engaged_sessions as numerator,
    sessions as n
from traffic
where dimension <> 'event_type'

union all

select
    period,
    dimension,
    value,
    'bounce_rate' as metric,
    bounces as numerator,
    sessions_with_page_view as n
from traffic
where dimension <> 'event_type'

union all

select
    period,
    dimension,
    value,
    'single_page_rate' as metric,
    single_page_sessions as numerator,
    sessions_with_page_view as n
from traffic
where dimension <> 'event_type'

union all

select
    period,
    dimension,
    value,
    'not_consented_share' as metric,
    not_consented_events as numerator,
    events as n
from traffic
where dimension = 'total'

union all

select
    period,
    'total' as dimension,
    'all' as value,
    'person_conversion_rate' as metric,
    buyers as numerator,
    persons as n
from persons

union all

select
    period,
    'product' as dimension,
    product_id as value,
    'click_through_rate' as metric,
    clicks as numerator,
    impressions as n
from products

union all

select
    period,
    'product' as dimension,
    product_id as value,
    'add_to_cart_rate' as metric,
    carts as numerator,
    views as n
from products

union all

select
    period,
    'product' as dimension,
    product_id as value,
    'buy_rate' as metric,
    purchases as numerator,
    views as n
from products

union all

select
    period,
    'funnel_step' as dimension,
    step as value,
    'share_of_previous' as metric,
    sessions as numerator,
    sessions_before as n
from funnel_steps
where step <> '1'

union all

select
    period,
    'funnel_step' as dimension,
    step as value,
    'share_of_first' as metric,
    sessions as numerator,
    sessions_first as n
from funnel_steps

union all

select
    period,
    'search_term' as dimension,
    term as value,
    'zero_result_rate' as metric,
    zero_result_searches as numerator,
    searches_with_count as n
from searches

union all

select
    period,
    'search_term' as dimension,
    term as value,
    'search_conversion_rate' as metric,
    sessions_with_order as numerator,
    sessions as n
from searches

union all

select
    period,
    'total' as dimension,
    'all' as value,
    'zero_result_rate' as metric,
    sum(zero_result_searches) as numerator,
    sum(searches_with_count) as n
from searches
group by period
