# The whole, with AWS mocked: what the defaults make, what options add, what mistakes are told.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "replica"
  source = "./tests/mocks"
}

variables {
  region       = "eu-central-1"
  shop_origins = ["https://shop.example"]
  alert_email  = "owner@shop.example"
}

run "defaults" {
  command = apply
}
