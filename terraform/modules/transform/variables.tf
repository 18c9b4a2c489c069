variable "name" {
  description = "Prefix of all names, as clicklake-dev."
  type        = string
}

variable "build_folder" {
  description = "Folder with the zips that `make build` makes."
  type        = string
}

variable "jobs_folder" {
  description = "Folder with the jobs' scripts."
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

variable "database_name" {
  description = "Name of the Glue database."
  type        = string
}

variable "workgroup_name" {
  description = "Name of the Athena workgroup that the report's queries run in."
  type        = string
}

variable "shop" {
  description = "What the job has to know of the shop: its time zone, currency, and hosts that are no referrers."
  type = object({
    time_zone = string
    currency  = string
    hosts     = list(string)
  })
}

variable "late_limit_days" {
  description = "Days after which an event comes too late to be taken."
  type        = number
  default     = 90
}

variable "refresh_schedule" {
  description = "When the gate looks for new events, as rate(1 day) or cron(0 4 * * ? *)."
  type        = string
}

variable "job" {
  description = "How the jobs run: workers (each a G.1X), whether schedules start Flex runs (a third cheaper, may wait), minutes until a run is ended."
  type = object({
    workers         = optional(number, 2)
    is_flex         = optional(bool, false)
    timeout_minutes = optional(number, 60)
    retries         = optional(number, 1)
  })
  default = {}

  validation {
    condition     = var.job.workers >= 2 && var.job.workers <= 100
    error_message = "job.workers has to be between 2 and 100: Glue starts no Spark job with fewer than two."
  }

  validation {
    condition     = var.job.timeout_minutes >= 5 && var.job.timeout_minutes <= 2880
    error_message = "job.timeout_minutes has to be between 5 and 2880."
  }
}

variable "maintenance_schedule" {
  description = "When maintain_lake compacts the tables and packs raw events, in UTC, as cron(0 3 ? * SUN *); null is never. See docs/upkeep.md."
  type        = string
  default     = null
}

variable "report_layer_arn" {
  description = "ARN of AWS's layer with awswrangler for Python 3.13 on arm64; null looks up the one of version 3.12.1."
  type        = string
  default     = null
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
