-- one row per period, dimension, value and metric: the two counts that a rate is made of
--
-- Every counted rate is defined here and nowhere else. What several are made of is read once and spread over their
-- names: Athena reads a view's tables anew for each place that names it, and refuses queries of too many stages.
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
    traffic.period,
    traffic.dimension,
    traffic.value,
    names.metric,
    case names.metric
        when 'conversion_rate' then traffic.sessions_with_order
        when 'engagement_rate' then traffic.engaged_sessions
        when 'bounce_rate' then traffic.bounces
        when 'single_page_rate' then traffic.single_page_sessions
        when 'not_consented_share' then traffic.not_consented_events
    end as numerator,
    case names.metric
        when 'conversion_rate' then traffic.sessions
        when 'engagement_rate' then traffic.sessions
        when 'bounce_rate' then traffic.sessions_with_page_view
        when 'single_page_rate' then traffic.sessions_with_page_view
        when 'not_consented_share' then traffic.events
    end as n
from traffic
cross join (
    values
    ('conversion_rate'),
    ('engagement_rate'),
    ('bounce_rate'),
    ('single_page_rate'),
    ('not_consented_share')
) as names (metric)
where
    traffic.dimension <> 'event_type'
    and (traffic.dimension = 'total' or names.metric <> 'not_consented_share')

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
    products.period,
    'product' as dimension,
    products.product_id as value,
    names.metric,
    case names.metric
        when 'click_through_rate' then products.clicks
        when 'add_to_cart_rate' then products.carts
        when 'buy_rate' then products.purchases
    end as numerator,
    case names.metric when 'click_through_rate' then products.impressions else products.views end as n
from products
cross join (values ('click_through_rate'), ('add_to_cart_rate'), ('buy_rate')) as names (metric)

union all

select
    funnel_steps.period,
    'funnel_step' as dimension,
    funnel_steps.step as value,
    names.metric,
    funnel_steps.sessions as numerator,
    case names.metric when 'share_of_first' then funnel_steps.sessions_first else funnel_steps.sessions_before end as n
from funnel_steps
cross join (values ('share_of_previous'), ('share_of_first')) as names (metric)
where funnel_steps.step <> '1' or names.metric = 'share_of_first'

union all

select
    searches.period,
    'search_term' as dimension,
    searches.term as value,
    names.metric,
    case names.metric
        when 'zero_result_rate' then searches.zero_result_searches
        else searches.sessions_with_order
    end as numerator,
    case names.metric when 'zero_result_rate' then searches.searches_with_count else searches.sessions end as n
from searches
cross join (values ('zero_result_rate'), ('search_conversion_rate')) as names (metric)

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
