# Terraform 1.5 is enough to deploy; the tests (terraform test with a mocked provider) need 1.7.
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}
