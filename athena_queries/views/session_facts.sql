-- one row per session: its behaviour, the person behind it as of its start, and what was ordered in it
with

session_orders as (
    select
        session_id,
        count(*) as orders,
        count(distinct currency) as currencies,
        min(currency) as currency,
        sum(net_revenue) as net_revenue
    from orders
    where session_id is not null and ordered_at is not null
    group by session_id
)

select
    sessions.session_id,
    sessions.visitor_id,
    coalesce(spans.person_id, sessions.visitor_id) as person_id,
    sessions.session_date,
    sessions.started_at,
    sessions.ended_at,
    sessions.duration_ms,
    sessions.events,
    sessions.page_views,
    sessions.product_views,
    sessions.searches,
    sessions.adds_to_cart,
    sessions.checkouts,
    sessions.purchases,
    sessions.key_events,
    sessions.engaged_ms,
    sessions.is_engaged,
    sessions.is_bounce,
    sessions.is_single_page,
    sessions.has_purchase,
    sessions.funnel_step,
    sessions.entry_page,
    sessions.exit_page,
    sessions.device_type,
    sessions.browser,
    sessions.os,
    sessions.country,
    sessions.country_name,
    sessions.continent,
    sessions.source,
    sessions.medium,
    sessions.campaign,
    sessions.channel,
    session_orders.session_id is not null as has_order,
    coalesce(session_orders.orders, 0) as orders,
    -- sums of different currencies are no sum
    case when session_orders.currencies = 1 then session_orders.currency end as currency,
    case when session_orders.currencies = 1 then session_orders.net_revenue end as net_revenue
from sessions
left join identity_spans as spans
    on
        sessions.visitor_id = spans.visitor_id
        and sessions.started_at >= spans.valid_from
        and (sessions.started_at < spans.valid_until or spans.valid_until is null)
left join session_orders on sessions.session_id = session_orders.session_id
