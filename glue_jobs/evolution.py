"""How a table becomes what glue_jobs/tables.py says: which columns are added and which are widened."""

from pyspark.sql.types import ArrayType, DataType, DecimalType, IntegerType, LongType, StructType


class NotEvolvable(ValueError):
    """A column would have to become what Iceberg cannot make of it; the message says which. Nothing was changed."""


def changes_of(column: str, stored: DataType, wanted: DataType) -> list[str]:
    """What follows `alter table NAME` in SQL, one statement each, to make `stored` hold all of `wanted`.

    A table that is wider already stays as it is: what an older version writes fits. Raises NotEvolvable.
    """
    if stored.simpleString() == wanted.simpleString() or _is_wider(wanted, stored):
        return []
    if isinstance(stored, ArrayType) and isinstance(wanted, ArrayType):
        return changes_of(f"{column}.element", stored.elementType, wanted.elementType)
    if isinstance(stored, StructType) and isinstance(wanted, StructType):
        # Spark casts a struct by position: the fields that are there stay in front, in their order.
        if wanted.names[: len(stored.names)] != stored.names:
            raise NotEvolvable(
                f"{column} has the fields {', '.join(stored.names)} in the lake: keep them all, in this order, "
                f"and add new ones behind them; glue_jobs/tables.py has {', '.join(wanted.names)}"
            )
        changes = [
            change
            for old in stored
            for change in changes_of(f"{column}.{old.name}", old.dataType, wanted[old.name].dataType)
        ]
        new = wanted.fields[len(stored.names) :]
        return changes + [f"add column {column}.{field.name} {field.dataType.simpleString()}" for field in new]
    if _is_wider(stored, wanted):
        return [f"alter column {column} type {wanted.simpleString()}"]
    raise NotEvolvable(
        f"{column} is {stored.simpleString()} in the lake and {wanted.simpleString()} in glue_jobs/tables.py: a column "
        "can become wider (int to bigint, a decimal of more digits before the point), nothing else; give it a new name"
    )


def _is_wider(narrow: DataType, wide: DataType) -> bool:
    """True if Iceberg can promote the first type to the second."""
    if isinstance(narrow, DecimalType) and isinstance(wide, DecimalType):
        return narrow.scale == wide.scale and narrow.precision < wide.precision
    return isinstance(narrow, IntegerType) and isinstance(wide, LongType)
