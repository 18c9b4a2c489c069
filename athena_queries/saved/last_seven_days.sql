-- Last seven days: volume, unique users and average age by continent and event type
select
    continent,
    event_type,
    count(*) as events,
    count(distinct user_id) as unique_users,
    count(user_age) as users_with_age,
    cast(sum(user_age) as double) / cast(nullif(count(user_age), 0) as double) as average_age
from clickstream_table
where
    event_date > (
        select cast(date_add('day', -7, max(last_date)) as date)
        from periods
    )
group by
    continent,
    event_type
order by
    events desc,
    continent,
    event_type
