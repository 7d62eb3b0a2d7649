module "this" {
  source = "../.."

  name        = "orders"
  environment = "development"
  tags        = { cost-center = "42" }
}

output "name" {
  value = module.this.name
}
