# Transform: one job, one run at a time, started by the gate; the report follows.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "clicklake-test"
  build_folder       = "../build"
  jobs_folder        = "../glue_jobs"
  bucket_name        = "clicklake-test-lake"
  bucket_arn         = "arn:aws:s3:::clicklake-test-lake"
  database_name      = "clickstream_db"
  workgroup_name     = "clicklake-test"
  shop               = { time_zone = "Europe/Berlin", currency = "EUR", hosts = ["shop.example"] }
  refresh_schedule   = "rate(1 day)"
  schedule_group     = "clicklake-test"
  metrics_namespace  = "Clicklake/test"
  log_retention_days = 7
}

run "defaults" {
  command = plan

  module {
    source = "./modules/transform"
  }

  assert {
    condition     = keys(aws_glue_job.this) == ["refresh_lake"]
    error_message = "One job does it all."
  }

  assert {
    condition = alltrue([
      aws_glue_job.this["refresh_lake"].glue_version == "5.1",
      aws_glue_job.this["refresh_lake"].number_of_workers == 2,
      aws_glue_job.this["refresh_lake"].execution_property[0].max_concurrent_runs == 1,
      aws_glue_job.this["refresh_lake"].execution_class == "STANDARD",
    ])
    error_message = "Glue 5.1, two workers (unset would be ten), one run at a time."
  }

  assert {
    condition     = aws_glue_job.this["refresh_lake"].default_arguments["--region"] == "eu-central-1"
    error_message = "The job is told its region: its Python may find none in its environment."
  }

  assert {
    condition     = local.scheduled_class == "STANDARD"
    error_message = "Runs start at once."
  }

  assert {
    condition     = length(data.aws_ssm_parameter.report_layer) == 1
    error_message = "The report's layer is looked up."
  }
}

run "options" {
  command = plan

  module {
    source = "./modules/transform"
  }

  variables {
    job                  = { is_flex = true, workers = 4 }
    maintenance_schedule = "cron(0 3 ? * SUN *)"
    report_layer_arn     = "arn:aws:lambda:eu-central-1:123456789012:layer:pandas:1"
  }

  assert {
    condition = alltrue([
      { for name, job in aws_glue_job.this : name => job.execution_class } == { refresh_lake = "STANDARD", maintain_lake = "FLEX" },
      local.scheduled_class == "FLEX",
      aws_glue_job.this["refresh_lake"].number_of_workers == 4,
    ])
    error_message = "What schedules start may wait for workers; a refresh that somebody asks for may not."
  }

  assert {
    condition     = length(data.aws_ssm_parameter.report_layer) == 0
    error_message = "A layer that is given is not looked up."
  }
}

run "maintenance" {
  command = plan

  module {
    source = "./modules/transform"
  }

  variables {
    maintenance_schedule = "cron(0 3 ? * SUN *)"
  }

  assert {
    condition     = keys(aws_glue_job.this) == ["maintain_lake", "refresh_lake"] && aws_glue_trigger.maintenance[0].schedule == "cron(0 3 ? * SUN *)"
    error_message = "With a schedule there is a second job."
  }

  assert {
    condition     = output.job_names == ["clicklake-test-maintain-lake", "clicklake-test-refresh-lake"]
    error_message = "Whoever watches learns of both jobs."
  }

  assert {
    condition = [
      for policy in [aws_iam_role_policy.job.policy, aws_iam_role_policy.maintenance[0].policy] : [
        for statement in jsondecode(policy).Statement : statement.Resource if contains(flatten([statement.Action]), "s3:PutObject")
      ]
      ] == [
      ["arn:aws:s3:::clicklake-test-lake/results/*", "arn:aws:s3:::clicklake-test-lake/state/refresh_lake.*"],
      ["arn:aws:s3:::clicklake-test-lake/results/*", "arn:aws:s3:::clicklake-test-lake/state/refresh_lake.*", "arn:aws:s3:::clicklake-test-lake/processed/*"],
    ]
    error_message = "Only maintenance writes packs, and no job writes raw events."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.maintenance[0].policy).Statement :
      statement.Resource == "arn:aws:s3:::clicklake-test-lake/results/*" if contains(flatten([statement.Action]), "s3:DeleteObject")
    ])
    error_message = "Maintenance deletes files of tables, and nothing else."
  }
}

run "mistakes" {
  command = plan

  module {
    source = "./modules/transform"
  }

  variables {
    job = { workers = 1, timeout_minutes = 1 }
  }

  expect_failures = [var.job]
}
