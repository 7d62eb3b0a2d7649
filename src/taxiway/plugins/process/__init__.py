"""The laptop's destination: workloads as supervised local processes behind a small HTTP router."""
