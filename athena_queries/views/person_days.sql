-- one row per day, visitor and person active on it; a person is the verified user, else the visitor
with

actives as (
    select
        visitor_days.event_date,
        visitor_days.visitor_id,
        coalesce(spans.person_id, visitor_days.visitor_id) as person_id,
        visitor_days.active_events
    from visitor_days
    left join identity_spans as spans
        on
            visitor_days.visitor_id = spans.visitor_id
            and visitor_days.last_active_at >= spans.valid_from
            and (visitor_days.last_active_at < spans.valid_until or spans.valid_until is null)
),

firsts as (
    select
        person_id,
        min(event_date) as first_seen_date
    from actives
    group by person_id
)

select
    actives.event_date,
    actives.visitor_id,
    actives.person_id,
    actives.active_events,
    firsts.first_seen_date,
    actives.event_date = firsts.first_seen_date as is_new
from actives
inner join firsts on actives.person_id = firsts.person_id
