-- one row: the ledger counted again from the tables, beside what the last run wrote down
with

received as (
    select
        coalesce(sum(lines), 0) as received,
        coalesce(sum(lines_lost), 0) as lost
    from ingested_objects
),

refused as (
    select count(*) as quarantined
    from quarantine
),

kept as (
    select count(*) as stored
    from events
),

repeated as (
    select count(*) as duplicate
    from repeats
),

recorded as (
    select *
    from ledger
    where run_id = 'total'
),

counted as (
    select
        received.received,
        received.lost,
        -- lines of erased persons leave no row behind, so only the runs know of them
        coalesce(recorded.erased, 0) as erased,
        refused.quarantined,
        kept.stored,
        repeated.duplicate,
        recorded.received as recorded_received,
        recorded.lost as recorded_lost,
        recorded.quarantined as recorded_quarantined,
        recorded.stored as recorded_stored,
        recorded.duplicate as recorded_duplicate
    from received
    cross join refused
    cross join kept
    cross join repeated
    left join recorded on recorded.run_id = 'total'
)

select
    received,
    lost,
    erased,
    quarantined,
    stored,
    duplicate,
    received = lost + erased + quarantined + stored + duplicate as is_balanced,
    coalesce(
        received = recorded_received
        and lost = recorded_lost
        and quarantined = recorded_quarantined
        and stored = recorded_stored
        and duplicate = recorded_duplicate,
        false
    ) as is_as_recorded
from counted
