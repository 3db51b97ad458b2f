terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "os" {
  name         = "os"
  display_name = "Operating system"
  type         = "string"
  form_type    = "radio"
  default      = "linux"
  order        = 1

  option {
    name  = "Linux"
    value = "linux"
  }
  option {
    name  = "macOS"
    value = "darwin"
  }
  option {
    name        = "Windows"
    description = "10 of 2018 or newer"
    value       = "windows"
  }
}

data "coder_parameter" "arch" {
  name         = "arch"
  display_name = "Processor"
  type         = "string"
  form_type    = "radio"
  default      = "amd64"
  order        = 2

  option {
    name        = "x86-64"
    description = "Intel and AMD"
    value       = "amd64"
  }
  option {
    name        = "ARM, 64 bit"
    description = "Apple silicon, Raspberry Pi, Ampere"
    value       = "arm64"
  }
  option {
    name        = "ARM, 32 bit"
    description = "Older boards"
    value       = "armv7"
  }
}

data "coder_parameter" "directory" {
  name         = "directory"
  display_name = "Directory"
  description  = "Where terminals and sessions start. Empty for the home directory."
  type         = "string"
  default      = ""
  mutable      = true
  order        = 3
}

resource "coder_agent" "main" {
  os   = data.coder_parameter.os.value
  arch = data.coder_parameter.arch.value
  dir  = data.coder_parameter.directory.value

  # A machine that is off is not a fault.
  connection_timeout = 0
}

resource "coder_external_agent" "main" {
  count    = data.coder_workspace.me.start_count
  agent_id = coder_agent.main.id
}
