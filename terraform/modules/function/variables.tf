variable "name" {
  description = "The function's whole name, as clicklake-dev-ingest. Role and log group follow it."
  type        = string
}

variable "description" {
  description = "What the function does, in one sentence."
  type        = string
}

variable "package" {
  description = "Path of the function's zip, made by `make build`."
  type        = string
}

variable "handler" {
  description = "Module and function that Lambda calls."
  type        = string
}

variable "layers" {
  description = "ARNs of the layers the function needs."
  type        = list(string)
  default     = []
}

variable "memory_mb" {
  description = "Memory in MB; CPU grows with it."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb has to be between 128 and 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends a call."
  type        = number
  default     = 30

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "timeout_seconds has to be between 1 and 900."
  }
}

variable "environment" {
  description = "Environment variables. No secrets: these are read from SSM by name."
  type        = map(string)
}

variable "statements" {
  description = "What the function may do besides writing its log: actions on resources, with an optional condition."
  type = list(object({
    actions   = list(string)
    resources = list(string)
    condition = optional(map(map(list(string))))
  }))
}

variable "log_retention_days" {
  description = "Days to keep the function's log."
  type        = number
}

variable "schedules" {
  description = "When EventBridge Scheduler calls the function by itself: by name, an expression and the input it gets."
  type = map(object({
    expression = string
    time_zone  = optional(string, "UTC")
    input      = optional(map(string), {})
  }))
  default = {}
}

variable "schedule_group" {
  description = "Name of the schedule group; needed where there are schedules."
  type        = string
  default     = ""
}

variable "api" {
  description = "The HTTP API whose routes call the function; null for a function without routes."
  type = object({
    id            = string
    execution_arn = string
  })
  default = null
}

variable "routes" {
  description = "Routes of the API, by key as `POST /v1/events`; is_verified routes need a token that the authorizer has checked."
  type = map(object({
    is_verified = bool
  }))
  default = {}
}

variable "authorizer_id" {
  description = "Id of the API's JWT authorizer; needed where there are verified routes."
  type        = string
  default     = ""
}
