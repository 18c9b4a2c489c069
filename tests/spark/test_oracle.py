"""The job and a second reading of the definitions, on the golden week: the same tables and figures."""

from tests.spark.lakes import SmallLake


def test_every_table_and_figure_is_what_the_definitions_say(in_one_go: tuple[SmallLake, dict[str, str]]):
    in_one_go[0].assert_like_the_oracle()
