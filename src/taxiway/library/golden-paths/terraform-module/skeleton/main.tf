locals {
  full_name = "${var.name}-${var.environment}"

  tags = merge(var.tags, {
    name        = local.full_name
    environment = var.environment
    owner       = var.owner
    managed-by  = "terraform"
  })
}

# The example resource, which needs no provider: put your own here.
resource "terraform_data" "this" {
  input = {
    name = local.full_name
    tags = local.tags
  }

  # Another name is another thing: it is made anew.
  triggers_replace = [local.full_name]

  lifecycle {
    precondition {
      condition     = var.environment != "production" || var.owner != ""
      error_message = "What is in production needs an owner."
    }
  }
}
