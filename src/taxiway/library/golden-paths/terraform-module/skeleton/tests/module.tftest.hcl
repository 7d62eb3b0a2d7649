# What users of the module rely on. `terraform test` runs it; nothing outside this machine is asked.

variables {
  name        = "orders"
  environment = "development"
}

run "names_and_tags" {
  command = apply

  variables {
    tags = { cost-center = "42", owner = "somebody else" }
  }

  assert {
    condition     = output.name == "orders-development"
    error_message = "The name is ${output.name}."
  }

  assert {
    condition     = output.tags["cost-center"] == "42" && output.tags["owner"] == "${{ values.ownerName }}"
    error_message = "Given tags are there, and do not replace those of the module."
  }

  assert {
    condition     = output.id != ""
    error_message = "There is no id."
  }
}

run "another_environment_is_another_resource" {
  command = apply

  variables {
    environment = "staging"
  }

  assert {
    condition     = output.id != run.names_and_tags.id
    error_message = "The resource was not made anew."
  }
}

run "a_wrong_name_is_refused" {
  command = plan

  variables {
    name = "Orders!"
  }

  expect_failures = [var.name]
}

run "an_unknown_environment_is_refused" {
  command = plan

  variables {
    environment = "laptop"
  }

  expect_failures = [var.environment]
}

run "production_needs_an_owner" {
  command = plan

  variables {
    environment = "production"
    owner       = ""
  }

  expect_failures = [terraform_data.this]
}
