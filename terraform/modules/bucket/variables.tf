variable "name" {
  description = "Name of the bucket, shared by all of AWS."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name has to be 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "is_destroyable" {
  description = "Whether destroying the bucket also deletes all its objects and versions."
  type        = bool
  default     = false
}

variable "readers" {
  description = "AWS services that may read objects, each for the one resource that asks."
  type = list(object({
    name       = string
    service    = string
    source_arn = string
  }))
  default = []
}
