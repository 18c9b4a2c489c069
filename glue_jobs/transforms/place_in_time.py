"""When an event happened, from the browser's clock, the moment of sending and the moment of receipt."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

TRUSTED_SKEW_MS = 300_000
SENT_TOLERANCE_MS = 1_000
FUTURE_TOLERANCE_MS = 60_000
DAY_MS = 86_400_000


def instant(milliseconds: Column) -> Column:
    """Epoch milliseconds as a timestamp_ntz in UTC."""
    return F.timestamp_millis(milliseconds).cast("timestamp_ntz")


def milliseconds(instant: Column) -> Column:
    """A timestamp_ntz in UTC as epoch milliseconds."""
    return F.unix_millis(instant.cast("timestamp"))


def local_date(instant: Column, time_zone: str) -> Column:
    """The day of an instant (timestamp_ntz, UTC) by the wall clocks of `time_zone`."""
    return F.to_date(F.from_utc_timestamp(instant.cast("timestamp"), time_zone))


def place_in_time(arrivals: DataFrame, time_zone: str, late_limit_days: int) -> DataFrame:
    """Replaces received_ms, sent_ms and ts_ms by instants and adds occurred_at, its quality and its dates.

    An event that happened more than `late_limit_days` before it was received is refused as too_late.
    The raw line is kept of refused lines only.
    """
    received, sent, ts = F.col("received_ms"), F.col("sent_ms"), F.col("ts_ms")
    skew = F.coalesce(received - sent, F.lit(0))
    is_unusable = ts.isNull() | F.coalesce(sent < ts - SENT_TOLERANCE_MS, F.lit(False))
    is_trusted = F.abs(skew) <= TRUSTED_SKEW_MS
    happened = F.when(is_unusable, received).when(is_trusted, ts).otherwise(ts + skew)
    quality = F.when(is_unusable, "server").when(is_trusted, "client").otherwise("corrected")
    is_ahead = F.col("happened_ms") > received + FUTURE_TOLERANCE_MS
    is_too_late = F.col("happened_ms") < received - late_limit_days * DAY_MS
    reason = F.when(F.col("reason").isNull() & is_too_late, "too_late").otherwise(F.col("reason"))
    occurred_at = instant(F.when(is_ahead, received).otherwise(F.col("happened_ms")))
    return (
        arrivals.withColumn("happened_ms", happened)
        .withColumns(
            {
                "occurred_at": occurred_at,
                "ts_quality": F.when(is_ahead, "clamped").otherwise(quality),
                "event_date": local_date(occurred_at, time_zone),
                "ts": instant(ts),
                # The date of ts as sent depends on the event alone: a repeat has the same, however late it comes.
                "ts_date": F.coalesce(F.to_date(instant(ts)), F.to_date(F.lit("1970-01-01"))),
                "received_at": instant(received),
                "sent_at": instant(sent),
                "reason": reason,
                "raw_line": F.when(reason.isNotNull(), F.col("raw_line")),
            }
        )
        .withColumn("stray_date", F.when(F.abs(F.datediff("ts_date", "event_date")) > 1, F.col("ts_date")))
        .drop("happened_ms", "received_ms", "sent_ms", "ts_ms")
    )
