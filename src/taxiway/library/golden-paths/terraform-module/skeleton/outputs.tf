output "id" {
  description = "The id of the resource."
  value       = terraform_data.this.id
}

output "name" {
  description = "Its full name."
  value       = terraform_data.this.output.name
}

output "tags" {
  description = "All of its tags."
  value       = terraform_data.this.output.tags
}
