variable "name" {
  description = "What the resource is for; a part of its name."
  type        = string

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) <= 40
    error_message = "The name must be lower-case letters, digits and single dashes, beginning with a letter, 40 at most."
  }
}

variable "environment" {
  description = "Where it is: development, staging or production."
  type        = string

  validation {
    condition     = contains(["development", "staging", "production"], var.environment)
    error_message = "The environment must be development, staging or production."
  }
}

variable "owner" {
  description = "The team that answers for it."
  type        = string
  default     = "${{ values.ownerName }}"
}

variable "tags" {
  description = "More tags. They cannot replace those that the module sets."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.tags) <= 40
    error_message = "There may be 40 tags at most."
  }
}
