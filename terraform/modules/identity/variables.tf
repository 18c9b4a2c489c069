variable "name" {
  description = "Prefix of all names, as clicklake-dev."
  type        = string
}

variable "domain_prefix" {
  description = "First part of the sign-in page's address; unique in the region."
  type        = string
}

variable "administrator_email" {
  description = "Address of the first administrator; Cognito sends the first password there."
  type        = string
}

variable "shop_origins" {
  description = "Origins of the shop's pages, whose customers may sign in."
  type        = list(string)
}

variable "site_origins" {
  description = "Origins of the report's page."
  type        = list(string)
}

variable "allows_sign_up" {
  description = "Whether customers may make accounts by themselves."
  type        = bool
  default     = true
}

variable "build_folder" {
  description = "Folder with the zips that `make build` makes."
  type        = string
}

variable "api" {
  description = "The HTTP API that gets the administrators' routes."
  type = object({
    id            = string
    execution_arn = string
  })
}

variable "authorizer_id" {
  description = "Id of the API's JWT authorizer."
  type        = string
}

variable "bucket_name" {
  description = "Name of the lake's bucket."
  type        = string
}

variable "bucket_arn" {
  description = "ARN of the lake's bucket."
  type        = string
}

variable "gate_name" {
  description = "Name of the gate function, which starts the refresh."
  type        = string
}

variable "generator_name" {
  description = "Name of the generator function; null where there is none."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days to keep logs."
  type        = number
}
