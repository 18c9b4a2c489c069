"""Adds what reference tables know."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def add_country_names(events: DataFrame, countries: DataFrame) -> DataFrame:
    """Adds country_name and continent; an unknown country keeps its code and gets nulls."""
    names = countries.select(F.col("code").alias("country"), F.col("name").alias("country_name"), "continent")
    return events.join(names, on="country", how="left")
