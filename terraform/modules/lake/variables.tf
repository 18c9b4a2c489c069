variable "name" {
  description = "Prefix of all names, as clicklake-dev."
  type        = string
}

variable "bucket_name" {
  description = "Name of the lake's one bucket; unique in all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name has 3 to 63 lower-case letters, digits, dots and hyphens: choose another environment name."
  }
}

variable "database_name" {
  description = "Name of the Glue database."
  type        = string

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]{0,254}$", var.database_name))
    error_message = "database_name has lower-case letters, digits and underscores only, as clickstream_db: Athena takes no others unquoted."
  }
}

variable "raw_lifecycle" {
  description = <<-EOT
    When objects under raw/ and processed/ move to cheaper storage and when they are deleted, in days after they were
    written; null is never. The archive is Glacier Instant Retrieval, so that a reparse still reads it.
  EOT
  type = object({
    infrequent_after_days = optional(number, 30)
    archive_after_days    = optional(number)
    expire_after_days     = optional(number)
  })
  default = {}

  validation {
    condition     = coalesce(var.raw_lifecycle.archive_after_days, 90) >= 90
    error_message = "raw_lifecycle.archive_after_days has to be 90 or more, or null for never."
  }

  validation {
    condition     = coalesce(var.raw_lifecycle.expire_after_days, 90) >= 90
    error_message = "raw_lifecycle.expire_after_days has to be 90 or more, or null for never: events may arrive 90 days late."
  }
}

variable "old_versions_days" {
  description = "Days to keep what was overwritten or deleted, for recovery."
  type        = number
  default     = 30

  validation {
    condition     = var.old_versions_days >= 1
    error_message = "old_versions_days has to be 1 or more: without old versions nothing can be recovered."
  }
}

variable "query_results_days" {
  description = "Days to keep Athena's result files."
  type        = number
  default     = 7
}

variable "scan_limit_gb" {
  description = "Gigabytes after which Athena ends a query of this workgroup; 10 GB cost about five cents."
  type        = number
  default     = 10

  validation {
    condition     = var.scan_limit_gb >= 0.01
    error_message = "scan_limit_gb has to be 0.01 or more: Athena counts 10 MB at least."
  }
}

variable "replication" {
  description = "Where to keep a copy of raw/ and processed/ in another region: the copy's bucket name. Null is no copy."
  type = object({
    bucket_name = string
  })
  default = null
}

variable "is_destroyable" {
  description = "Whether destroying the bucket also deletes all its objects and versions."
  type        = bool
  default     = false
}
