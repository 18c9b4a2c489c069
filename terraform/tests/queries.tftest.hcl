# Queries: the files of athena_queries/saved, each with its title.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  folder         = "../athena_queries/saved"
  database_name  = "clickstream_db"
  workgroup_name = "clicklake-test"
}

run "every_file_is_a_query" {
  command = plan

  module {
    source = "./modules/queries"
  }

  assert {
    condition     = length(aws_athena_named_query.saved) == length(fileset("../athena_queries/saved", "*.sql"))
    error_message = "Every file is a saved query."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.saved : !startswith(query.description, "--") && length(query.description) > 10])
    error_message = "The first line is title and description."
  }
}
