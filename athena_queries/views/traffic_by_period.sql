-- one row per period, dimension and value: what can be added up of daily_traffic (visitors cannot)
select
    periods.period,
    periods.grain,
    traffic.dimension,
    traffic.value,
    sum(traffic.events) as events,
    sum(traffic.page_views) as page_views,
    sum(traffic.product_views) as product_views,
    sum(traffic.not_consented_events) as not_consented_events,
    sum(traffic.bot_events) as bot_events,
    sum(traffic.set_aside_events) as set_aside_events,
    sum(traffic.set_aside_sessions) as set_aside_sessions,
    sum(traffic.sessions) as sessions,
    sum(traffic.engaged_sessions) as engaged_sessions,
    sum(traffic.bounces) as bounces,
    sum(traffic.sessions_with_page_view) as sessions_with_page_view,
    sum(traffic.single_page_sessions) as single_page_sessions,
    sum(traffic.duration_ms) as duration_ms,
    sum(traffic.engaged_ms) as engaged_ms,
    sum(traffic.sessions_with_order) as sessions_with_order
from daily_traffic as traffic
inner join periods on traffic.event_date between periods.first_date and periods.last_date
group by
    periods.period,
    periods.grain,
    traffic.dimension,
    traffic.value
