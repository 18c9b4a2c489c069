"""The rules for visits like a bot's, in the job, case by case as in the plain-Python reading of them."""

from tests.unit.verify.test_behaviour import CASES


def test_the_job_judges_every_case_as_the_definitions_do(new_lake):
    lake = new_lake()
    lines = [
        {
            **each,
            "event_id": f"{name}.{each['event_id']}",
            "anonymous_id": name,
            "ingest_id": f"{name}.{each['event_id']}",
        }
        for name, visit, _ in CASES
        for each in visit
    ]
    lake.put(lines, "cases")
    lake.run()
    found = {
        name: {tuple(row.bot_reasons) for row in lake.table("events").where(f"visitor_id = '{name}'").collect()}
        for name, _, _ in CASES
    }
    assert found == {name: {tuple(reasons)} for name, _, reasons in CASES}
