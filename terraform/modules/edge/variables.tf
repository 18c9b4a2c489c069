variable "name" {
  description = "Prefix of all names, as clicklake-dev."
  type        = string
}

variable "bucket_name" {
  description = "Name of the private bucket of the site; unique in all of AWS."
  type        = string
}

variable "api_endpoint" {
  description = "Address of the HTTP API, without a path."
  type        = string
}

variable "edge_secret" {
  description = "What the edge proves itself with at the ingest function."
  type        = string
  sensitive   = true
}

variable "domain" {
  description = "The site's own names and the certificate (in us-east-1) that covers them; null is CloudFront's own name."
  type = object({
    names           = list(string)
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null ? true : can(regex("^arn:[a-z-]+:acm:us-east-1:", var.domain.certificate_arn)) && length(var.domain.names) > 0
    error_message = "domain needs a name or more, and the ARN of a certificate in us-east-1: CloudFront takes no other region's."
  }

  validation {
    condition     = alltrue([for name in try(var.domain.names, []) : can(regex("^[a-z0-9.-]+$", name))])
    error_message = "domain.names are whole names, as data.shop.example, in lower case and without a *: each is an origin that may send and sign in."
  }
}

variable "firewall" {
  description = "WAF in front of everything, from about $9 a month; null is off. Bot control costs $10 a month more."
  type = object({
    requests_per_five_minutes = optional(number, 2000)
    has_bot_control           = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.firewall == null ? true : var.firewall.requests_per_five_minutes >= 10
    error_message = "firewall.requests_per_five_minutes has to be 10 or more: WAF counts no lower."
  }
}

variable "price_class" {
  description = "Which of CloudFront's places serve the site: PriceClass_100 (America, Europe), _200 or _All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class has to be PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "is_destroyable" {
  description = "Whether destroying the site's bucket also deletes all its objects and versions."
  type        = bool
  default     = false
}

variable "sign_in" {
  description = "Where administrators sign in to read the report: Cognito's pages, and the browser's client there."
  type = object({
    url       = string
    client_id = string
  })
}
