-- one row: the constants that metrics share
select
    30 as min_n,  -- a rate over fewer is "not enough data"
    1.959963984540054e0 as z,  -- of a 95 % interval
    28 as period_days  -- whole weeks, so that a period and the one before hold the same weekdays
