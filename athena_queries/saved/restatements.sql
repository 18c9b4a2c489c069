-- Restatements: totals of the last 30 days that changed after their day was over, as first shown and as they are now
select
    restatements.event_date,
    restatements.table_name,
    restatements.metric,
    restatements.slice,
    min_by(restatements.old, refresh_runs.completed_at) as first_shown,
    max_by(restatements.new, refresh_runs.completed_at) as now,
    count(*) as times,
    max(refresh_runs.completed_at) as last_changed_at
from restatements
inner join refresh_runs on restatements.run_id = refresh_runs.run_id
where
    -- of orders by currency, in three letters: a source may be called "total all", too
    (restatements.slice in ('', 'total all') or restatements.slice like '___ total all')
    and restatements.event_date > (
        select cast(date_add('day', -30, max(last_date)) as date)
        from periods
    )
group by
    restatements.event_date,
    restatements.table_name,
    restatements.metric,
    restatements.slice
order by
    restatements.event_date desc,
    restatements.table_name,
    restatements.metric,
    restatements.slice
