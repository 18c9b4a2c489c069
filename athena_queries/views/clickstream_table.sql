-- one row per event, without bots and tests, under the older flat names
select
    event_id,
    visitor_id as user_id,  -- null without consent
    cast(floor(to_unixtime(occurred_at)) as bigint) as "timestamp",  -- epoch seconds
    event_date,
    occurred_at,
    event_type,
    page_kind as user_action,
    country as location,
    country_name as country,
    continent,
    city,
    user_age,
    element_at(items, 1).category as product_category,
    element_at(items, 1).product_id as product_id,
    session_id,
    device_type,
    page_url,
    search_query,
    order_id,
    value,
    currency
from events
where not is_bot and not is_test
