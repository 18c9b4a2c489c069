-- one row per span of time in which a verified user owns a visitor; valid_until is null for the last
select
    visitor_id,
    person_id,
    valid_from,
    lead(valid_from) over (partition by visitor_id order by valid_from) as valid_until
from identity
