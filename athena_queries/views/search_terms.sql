-- one row per day and search term: consented searches of people, and the orders that came after them
--
-- A session counts on the day it starts, so that days can be added up.
with

searches as (
    select
        event_date,
        session_id,
        occurred_at,
        results_count,
        -- what Unicode calls space, as each engine's own trim leaves another part of it
        lower(
            regexp_replace(
                search_query,
                '\A[\x{09}-\x{0D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}'
                || '\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+'
                || '|[\x{09}-\x{0D}\x{1C}-\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}'
                || '\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]+\z'
            )
        ) as term
    from events
    where
        event_type = 'search'
        and not is_bot
        and not is_test
),

session_days as (
    select
        session_id,
        session_date
    from sessions
    where searches > 0
),

session_orders as (
    select
        session_id,
        max(ordered_at) as last_ordered_at
    from orders
    where session_id is not null and ordered_at is not null
    group by session_id
),

by_session as (
    select
        coalesce(session_days.session_date, searches.event_date) as event_date,
        searches.term,
        searches.session_id,
        count(*) as searches,
        count(searches.results_count) as searches_with_count,
        count_if(searches.results_count = 0) as zero_result_searches,
        coalesce(max(session_orders.last_ordered_at) > min(searches.occurred_at), false) as has_order_after
    from searches
    left join session_days on searches.session_id = session_days.session_id
    left join session_orders on searches.session_id = session_orders.session_id
    where searches.term <> ''
    group by
        coalesce(session_days.session_date, searches.event_date),
        searches.term,
        searches.session_id
)

select
    event_date,
    term,
    sum(searches) as searches,
    sum(searches_with_count) as searches_with_count,
    sum(zero_result_searches) as zero_result_searches,
    count(session_id) as sessions,
    count_if(session_id is not null and has_order_after) as sessions_with_order
from by_session
group by
    event_date,
    term
