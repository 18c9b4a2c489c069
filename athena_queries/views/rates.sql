-- one row per period, dimension, value and metric: the rate, its n and its Wilson 95 % interval
--
-- Rate and interval are null where n is below min_n: "not enough data".
with

shares as (
    select
        rate_counts.period,
        rate_counts.dimension,
        rate_counts.value,
        rate_counts.metric,
        rate_counts.numerator,
        rate_counts.n,
        cast(rate_counts.numerator as double) / cast(rate_counts.n as double) as rate,
        cast(rate_counts.n as double) as n_double,
        metric_settings.z
    from rate_counts
    cross join metric_settings
    where rate_counts.n >= metric_settings.min_n
),

intervals as (
    select
        *,
        (rate + z * z / (2e0 * n_double)) / (1e0 + z * z / n_double) as middle,
        z
        * sqrt(rate * (1e0 - rate) / n_double + z * z / (4e0 * n_double * n_double))
        / (1e0 + z * z / n_double) as reach
    from shares
)

select
    rate_counts.period,
    rate_counts.dimension,
    rate_counts.value,
    rate_counts.metric,
    rate_counts.numerator,
    rate_counts.n,
    intervals.rate,
    -- rounding must not push a bound out of [0, 1]
    greatest(0e0, intervals.middle - intervals.reach) as low,
    least(1e0, intervals.middle + intervals.reach) as high
from rate_counts
left join intervals
    on
        rate_counts.period = intervals.period
        and rate_counts.dimension = intervals.dimension
        and rate_counts.value = intervals.value
        and rate_counts.metric = intervals.metric
