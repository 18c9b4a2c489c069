# Every bucket: private, encrypted, versioned, by TLS alone.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "clicklake-test"
}

run "defaults" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four flags against public access are set."
  }

  assert {
    condition     = [for each in jsondecode(aws_s3_bucket_policy.this.policy).Statement : each.Effect] == ["Deny"]
    error_message = "By default nobody else is let in."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "What comes without TLS is refused."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && !aws_s3_bucket.this.force_destroy
    error_message = "What is overwritten can be recovered, and destroying does not delete data by itself."
  }
}

run "with_a_reader" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    readers = [{ name = "CloudFrontReads", service = "cloudfront.amazonaws.com", source_arn = "arn:aws:cloudfront::123456789012:distribution/MOCK" }]
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[1].Condition.StringEquals["aws:SourceArn"] == "arn:aws:cloudfront::123456789012:distribution/MOCK"
    error_message = "A service reads for the one resource that asks, not for anybody's."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[1].Action == "s3:GetObject"
    error_message = "A reader only reads."
  }
}

run "mistakes" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    name = "Lake"
  }

  expect_failures = [var.name]
}
