-- one row per day, visitor and person who owned it between its first and last active event of the day
--
-- Before its first owner, and without any, a visitor stands for itself.
with

owned as (
    select
        visitor_days.event_date,
        visitor_days.visitor_id,
        spans.person_id
    from visitor_days
    inner join identity_spans as spans
        on
            visitor_days.visitor_id = spans.visitor_id
            and visitor_days.last_active_at >= spans.valid_from
            and (visitor_days.first_active_at < spans.valid_until or spans.valid_until is null)
),

first_owned as (
    select
        visitor_id,
        min(valid_from) as owned_from
    from identity
    group by visitor_id
),

actives as (
    select distinct
        event_date,
        visitor_id,
        person_id
    from owned

    union all

    select
        visitor_days.event_date,
        visitor_days.visitor_id,
        visitor_days.visitor_id as person_id
    from visitor_days
    left join first_owned on visitor_days.visitor_id = first_owned.visitor_id
    where first_owned.owned_from is null or visitor_days.first_active_at < first_owned.owned_from
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
    firsts.first_seen_date,
    actives.event_date = firsts.first_seen_date as is_new
from actives
inner join firsts on actives.person_id = firsts.person_id
