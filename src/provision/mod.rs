//! Terraform: reading a template, planning, applying, and the providers served in-process.
