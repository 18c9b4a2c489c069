# --- these three need a value

variable "region" {
  description = "AWS region of everything that has one, as eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region has to be the name of an AWS region, as eu-central-1 or us-east-1."
  }
}

variable "shop_origins" {
  description = "Origins of the shop's pages, as [\"https://shop.example\"]: scheme and host, no path. Browsers on others are refused."
  type        = list(string)

  validation {
    condition     = length(var.shop_origins) > 0 && length(distinct(var.shop_origins)) == length(var.shop_origins)
    error_message = "shop_origins needs one origin or more, each once, as [\"https://shop.example\"]."
  }

  validation {
    condition     = alltrue([for origin in var.shop_origins : startswith(origin, "https://")])
    error_message = "Each of shop_origins has to begin with https://: over http anybody on the way could read and change events."
  }

  validation {
    condition     = alltrue([for origin in var.shop_origins : can(regex("^[a-z]+://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "Each of shop_origins is scheme and host in lower case, without a path, a final slash or a *: https://shop.example."
  }
}

variable "alert_email" {
  description = "Address that alarms go to. AWS asks it to confirm; until then nothing is sent. It is the first administrator's, too."
  type        = string

  validation {
    condition     = can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alert_email))
    error_message = "alert_email has to be an e-mail address, as owner@shop.example."
  }
}

# --- which deployment this is

variable "environment" {
  description = "Name of this deployment, in every other name: dev, prod. environments/<name>.tfvars sets it."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,9}$", var.environment))
    error_message = "environment has 2 to 10 lower-case letters and digits, beginning with a letter, as dev or prod."
  }
}

variable "is_destroyable" {
  description = "Whether destroying also deletes every object and version in the buckets. `make destroy DATA=delete` sets it."
  type        = bool
  default     = false
}

variable "build_folder" {
  description = "Folder with what `make build` made."
  type        = string
  default     = "../build"

  validation {
    condition     = fileexists("${var.build_folder}/ingest.zip") && fileexists("${var.build_folder}/layer.zip")
    error_message = "The functions' zips are missing: run `make build` first."
  }
}

# --- the shop

variable "shop_time_zone" {
  description = "The shop's time zone; days, schedules and reports are in it."
  type        = string
  default     = "UTC"

  validation {
    condition     = can(regex("^(UTC|[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_-]+)+)$", var.shop_time_zone))
    error_message = "shop_time_zone has to be a name such as Europe/Berlin, or UTC."
  }
}

variable "shop_currency" {
  description = "Currency of amounts that come without one."
  type        = string
  default     = "EUR"

  validation {
    condition     = can(regex("^[A-Z]{3}$", var.shop_currency))
    error_message = "shop_currency has to be three capital letters, as EUR."
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

variable "late_limit_days" {
  description = "Days after which an event comes too late to be taken."
  type        = number
  default     = 90

  validation {
    condition     = var.late_limit_days >= 1 && var.late_limit_days <= 365
    error_message = "late_limit_days has to be between 1 and 365."
  }
}

# --- the lake

variable "database_name" {
  description = "Name of the Glue database; two deployments in one account need two."
  type        = string
  default     = "clickstream_db"
}

variable "raw_lifecycle" {
  description = "When raw/ and processed/ move to cheaper storage and are deleted, in days; null is never. See modules/lake."
  type = object({
    infrequent_after_days = optional(number, 30)
    archive_after_days    = optional(number)
    expire_after_days     = optional(number)
  })
  default = {}
}

variable "old_versions_days" {
  description = "Days to keep what was overwritten or deleted, for recovery."
  type        = number
  default     = 30
}

variable "scan_limit_gb" {
  description = "Gigabytes after which Athena ends a query; 10 GB cost about five cents."
  type        = number
  default     = 10
}

variable "replica_region" {
  description = "Region of a copy of raw/ and processed/; null is no copy. It doubles what storage and requests cost."
  type        = string
  default     = null

  validation {
    condition     = var.replica_region == null ? true : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.replica_region))
    error_message = "replica_region has to be the name of an AWS region, as eu-west-1, or null."
  }
}

# --- the refresh

variable "refresh_schedule" {
  description = <<-EOT
    When new events become rows: rate(5 minutes) to rate(1 day), or a cron as cron(0 4 * * ? *) in the shop's time zone.
    Glue bills a minute and more a run: `clicklake cost --refresh hourly` tells what a month of it costs.
  EOT
  type        = string
  default     = "rate(1 day)"

  validation {
    condition = anytrue([
      can(regex("^cron\\(\\S+ \\S+ \\S+ \\S+ \\S+ \\S+\\)$", var.refresh_schedule)),
      can(regex("^rate\\(([5-9]|[1-9][0-9]{1,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440) minutes\\)$", var.refresh_schedule)),
      can(regex("^rate\\((1 hour|([2-9]|1[0-9]|2[0-4]) hours|1 day)\\)$", var.refresh_schedule)),
    ])
    error_message = "refresh_schedule has to be rate(5 minutes) up to rate(1 day), as rate(1 hour) or rate(6 hours), or a cron of six fields, as cron(0 4 * * ? *)."
  }
}

variable "job" {
  description = <<-EOT
    How the Glue jobs run: workers (G.1X), timeout_minutes, retries, and whether schedules start Flex runs (is_flex): a
    third cheaper, but they may wait for workers. Without is_flex they do where refreshes are six hours or more apart.
  EOT
  type = object({
    workers         = optional(number, 2)
    is_flex         = optional(bool)
    timeout_minutes = optional(number, 60)
    retries         = optional(number, 1)
  })
  default = {}
}

variable "maintenance_schedule" {
  description = "When maintain_lake compacts the tables and packs raw events, in UTC, as cron(0 3 ? * SUN *); null is never. See docs/upkeep.md."
  type        = string
  default     = null
}

variable "report_layer_arn" {
  description = "ARN of AWS's layer with awswrangler for Python 3.13 on arm64; null looks it up."
  type        = string
  default     = null
}

# --- the doors

variable "throttle" {
  description = "Requests a second that the API takes in the long run (rate) and at once (burst); more are answered 429."
  type = object({
    rate  = optional(number, 200)
    burst = optional(number, 500)
  })
  default = {}
}

variable "domain" {
  description = "The site's own names and their certificate in us-east-1; null is CloudFront's own name. See modules/edge."
  type = object({
    names           = list(string)
    certificate_arn = string
  })
  default = null
}

variable "firewall" {
  description = "WAF in front of everything, from about $9 a month; null is off. See modules/edge."
  type = object({
    requests_per_five_minutes = optional(number, 2000)
    has_bot_control           = optional(bool, false)
  })
  default = null
}

variable "allows_sign_up" {
  description = "Whether customers may make accounts by themselves."
  type        = bool
  default     = true
}

variable "generator_schedule" {
  description = "How often simulated events are sent; null is never, for a real shop. They are taken for a shop's own."
  type        = string
  default     = "rate(5 minutes)"

  validation {
    condition     = var.generator_schedule == null ? true : can(regex("^(rate\\([1-9][0-9]* (minute|minutes|hour|hours|day|days)\\)|cron\\(.+\\))$", var.generator_schedule))
    error_message = "generator_schedule has to be a rate as rate(5 minutes), a cron as cron(0 4 * * ? *), or null."
  }
}

variable "generator_events_per_call" {
  description = "Simulated events a call; 20 every 5 minutes are 5,760 a day."
  type        = number
  default     = 20
}

# --- watching

variable "chat_webhook_parameter" {
  description = "SSM name of a SecureString with a chat's incoming-webhook address; null is none."
  type        = string
  default     = null
}

variable "notifies_completed" {
  description = "Whether each refresh that went well is told, too."
  type        = bool
  default     = false
}

variable "monthly_budget_usd" {
  description = "What the account may cost a month, in dollars, before somebody is told."
  type        = number
  default     = 5
}

variable "log_retention_days" {
  description = "Days to keep logs."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days has to be one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, ..."
  }
}
