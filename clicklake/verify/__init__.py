"""A second reading of docs/definitions.md in plain Python, and the comparison of the lake with it.

The oracle recomputes from raw lines what the refresh job stores. It shares no code and no engine with the job:
no Spark, no DuckDB, nothing of glue_jobs. Where both agree, two independent readings of the definitions agree.

    oracle = recompute(objects, rules, reference)

`objects` come from raw_objects.py, the only file here that knows gzip; lake.py alone reads S3 and tables.
"""
