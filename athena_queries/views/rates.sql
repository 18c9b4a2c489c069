-- one row per period, dimension, value and metric: the rate, its n and its Wilson 95 % interval
--
-- Rate and interval are null where n is below min_n: "not enough data".
with

shares as (
    select
        rate_counts.*,
        case
            when rate_counts.n >= metric_settings.min_n
                then cast(rate_counts.numerator as double) / cast(rate_counts.n as double)
        end as rate,
        cast(nullif(rate_counts.n, 0) as double) as trials,
        metric_settings.z
    from rate_counts
    cross join metric_settings
),

intervals as (
    select
        *,
        (rate + z * z / (2e0 * trials)) / (1e0 + z * z / trials) as middle,
        -- the root of a rate outside [0, 1] ends a query on one engine and is NaN on the other
        z
        * sqrt(greatest(0e0, rate * (1e0 - rate) / trials + z * z / (4e0 * trials * trials)))
        / (1e0 + z * z / trials) as reach
    from shares
)

select
    period,
    dimension,
    value,
    metric,
    numerator,
    n,
    rate,
    -- rounding must not push a bound out of [0, 1]
    greatest(0e0, middle - reach) as low,
    least(1e0, middle + reach) as high
from intervals
