# The lake: only raw/ and processed/ ever move or expire.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "replica"
  source = "./tests/mocks"
}

variables {
  name          = "clicklake-test"
  bucket_name   = "clicklake-test-lake"
  database_name = "clickstream_db"
}

run "defaults" {
  command = plan

  module {
    source = "./modules/lake"
  }

  assert {
    condition = toset(flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.filter[0].prefix if length(rule.transition) > 0
    ])) == toset(["raw/", "processed/"])
    error_message = "Only raw/ and processed/ move to other storage: Athena reads results/."
  }

  assert {
    condition = toset(flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.filter[0].prefix if length(rule.expiration) > 0
    ])) == toset(["athena-results/"])
    error_message = "By default nothing but query results expires."
  }

  assert {
    condition     = aws_athena_workgroup.lake.configuration[0].bytes_scanned_cutoff_per_query == 10737418240 && aws_athena_workgroup.lake.configuration[0].enforce_workgroup_configuration
    error_message = "A query ends after 10 GB, whatever its sender asks for."
  }

  assert {
    condition     = length(module.replica) == 0 && length(aws_s3_bucket_replication_configuration.lake) == 0
    error_message = "There is no copy by default."
  }
}

run "tiers_expiry_and_a_copy" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    raw_lifecycle = { archive_after_days = 180, expire_after_days = 365 }
    replication   = { bucket_name = "clicklake-test-replica" }
    scan_limit_gb = 1
  }

  assert {
    condition = toset(flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : [for each in rule.transition : each.storage_class]
    ])) == toset(["INTELLIGENT_TIERING", "GLACIER_IR"])
    error_message = "The archive is one that can be read at once."
  }

  assert {
    condition = toset(flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.lake.rule : rule.filter[0].prefix if length(rule.expiration) > 0
    ])) == toset(["raw/", "processed/", "athena-results/"])
    error_message = "Expiry is for raw/ and processed/, never for results/."
  }

  assert {
    condition     = toset([for rule in aws_s3_bucket_replication_configuration.lake[0].rule : rule.filter[0].prefix]) == toset(["raw/", "processed/"])
    error_message = "The copy holds what cannot be computed again."
  }

  assert {
    condition     = toset(jsondecode(aws_iam_role_policy.replication[0].policy).Statement[1].Action) == toset(["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"])
    error_message = "S3 reads an object's version for the copy with its ACL and its tags."
  }
}

run "mistakes" {
  command = plan

  module {
    source = "./modules/lake"
  }

  variables {
    bucket_name       = "Lake"
    database_name     = "click-stream"
    raw_lifecycle     = { archive_after_days = 30, expire_after_days = 30 }
    old_versions_days = 0
    scan_limit_gb     = 0
  }

  expect_failures = [
    var.bucket_name,
    var.database_name,
    var.raw_lifecycle,
    var.old_versions_days,
    var.scan_limit_gb,
  ]
}
