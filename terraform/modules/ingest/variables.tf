variable "name" {
  description = "Prefix of all names, as clicklake-dev."
  type        = string
}

variable "build_folder" {
  description = "Folder with the zips that `make build` makes."
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

variable "shop_origins" {
  description = "Origins of the shop's pages; browsers on others are refused."
  type        = list(string)
}

variable "site_origins" {
  description = "Origins of the pages that the edge serves; they may send events too."
  type        = list(string)
}

variable "user_pool" {
  description = "The user pool whose tokens the routes for signed-in users take, and its client."
  type = object({
    issuer    = string
    client_id = string
  })
}

variable "throttle" {
  description = "Requests a second that the API takes in the long run, and at once."
  type = object({
    rate  = optional(number, 200)
    burst = optional(number, 500)
  })
  default = {}

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.burst >= var.throttle.rate
    error_message = "throttle.rate has to be 1 or more, and throttle.burst not less than it."
  }
}

variable "memory_mb" {
  description = "Memory of the ingest function."
  type        = number
  default     = 512

  validation {
    condition     = var.memory_mb >= 256 && var.memory_mb <= 3008
    error_message = "memory_mb of ingest has to be between 256 and 3008: below, a cold start takes seconds."
  }
}

variable "unknown_consent" {
  description = "What an event without consent is taken for: denied drops its identifiers, granted keeps them."
  type        = string
  default     = "denied"

  validation {
    condition     = contains(["denied", "granted"], var.unknown_consent)
    error_message = "unknown_consent has to be denied or granted."
  }
}

variable "accepts_flat_events" {
  description = "Whether the older flat form of events is taken."
  type        = bool
  default     = false
}

variable "collects_user_age" {
  description = "Whether the personal field user_age is kept."
  type        = bool
  default     = false
}

variable "search_parameters" {
  description = "Names of the URL parameters that hold the shop's search words."
  type        = list(string)
  default     = ["q", "query", "s", "search"]
}

variable "generator_schedule" {
  description = "How often simulated events are sent, as rate(5 minutes); null is never."
  type        = string
  default     = null
}

variable "generator_events_per_call" {
  description = "Simulated events a call, in requests of twenty."
  type        = number
  default     = 20

  validation {
    condition     = var.generator_events_per_call >= 20 && var.generator_events_per_call <= 20000 && var.generator_events_per_call % 20 == 0
    error_message = "generator_events_per_call has to be a multiple of 20, at most 20000."
  }
}

variable "schedule_group" {
  description = "Name of the schedule group."
  type        = string
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the functions' metrics."
  type        = string
}

variable "log_retention_days" {
  description = "Days to keep logs."
  type        = number
}

variable "secret_names" {
  description = "SSM names of the secrets: hash_keys, edge_secret, server_key."
  type = object({
    hash_keys   = string
    edge_secret = string
    server_key  = string
  })
}
