variable "name" {
  description = "Prefix of all names, as clicklake-dev."
  type        = string
}

variable "alert_email" {
  description = "Who is told of alarms and of the bill."
  type        = string
}

variable "chat_webhook_parameter" {
  description = "SSM name of a SecureString with a chat's incoming-webhook address; null is none."
  type        = string
  default     = null

  validation {
    condition     = var.chat_webhook_parameter == null ? true : startswith(var.chat_webhook_parameter, "/")
    error_message = "chat_webhook_parameter is the SSM parameter's name, as /shop/chat-webhook, not the address itself: that is a secret."
  }
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

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd has to be more than 0."
  }
}

variable "api_id" {
  description = "Id of the HTTP API."
  type        = string
}

variable "functions" {
  description = "Names of the functions that are watched, by their part in it."
  type = object({
    ingest = string
    gate   = string
    report = string
    admin  = string
  })
}

variable "queue_names" {
  description = "Names of the buffer and its dead letters."
  type = object({
    buffer       = string
    dead_letters = string
  })
}

variable "job_names" {
  description = "Names of the jobs whose failures are told."
  type        = list(string)
}

variable "refresh" {
  description = "The refresh: the rule that matches a good run, minutes between runs, minutes one may take."
  type = object({
    rule_name        = string
    interval_minutes = number
    timeout_minutes  = number
  })
}

variable "schedule_group" {
  description = "Name of the schedule group."
  type        = string
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the functions' metrics."
  type        = string
}

variable "quarantine_percent" {
  description = "Share of refused events that somebody is told of."
  type        = number
  default     = 5

  validation {
    condition     = var.quarantine_percent > 0 && var.quarantine_percent <= 100
    error_message = "quarantine_percent has to be above 0 and at most 100."
  }
}

variable "latency_milliseconds" {
  description = "Slowest twentieth of the API's answers that somebody is told of."
  type        = number
  default     = 2000
}

variable "build_folder" {
  description = "Folder with the zips that `make build` makes."
  type        = string
}

variable "log_retention_days" {
  description = "Days to keep logs."
  type        = number
}
