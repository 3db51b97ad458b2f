terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "arch" {
  name         = "arch"
  display_name = "System"
  description  = "What `uname -m` says on the Pi."
  type         = "string"
  form_type    = "radio"
  default      = "arm64"
  order        = 1

  option {
    name        = "64 bit"
    description = "aarch64: Pi 3, 4, 5, 400, 500, Zero 2"
    value       = "arm64"
  }
  option {
    name        = "32 bit"
    description = "armv7l: Pi 2 and later with a 32-bit system"
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
  order        = 2
}

data "coder_parameter" "startup_script" {
  name         = "startup_script"
  display_name = "Startup script"
  description  = "Commands to run each time the agent starts."
  type         = "string"
  form_type    = "textarea"
  default      = ""
  mutable      = true
  order        = 3
}

resource "coder_agent" "main" {
  os             = "linux"
  arch           = data.coder_parameter.arch.value
  dir            = data.coder_parameter.directory.value
  startup_script = data.coder_parameter.startup_script.value

  # A Pi that is off is not a fault.
  connection_timeout = 0

  metadata {
    key          = "temperature"
    display_name = "Temperature"
    order        = 1
    interval     = 30
    timeout      = 5
    script       = "awk '{ printf \"%.1f °C\\n\", $1 / 1000 }' /sys/class/thermal/thermal_zone0/temp"
  }

  # Bits 0 to 3 are what is so now, bits 16 to 19 what was so since the Pi started.
  metadata {
    key          = "throttled"
    display_name = "Slowed down"
    order        = 2
    interval     = 60
    timeout      = 5
    script       = <<-EOT
      bits=$(vcgencmd get_throttled 2>/dev/null | cut -d= -f2)
      case "$bits" in
      "") echo "not known" ;;
      0x0) echo "no" ;;
      *) if [ $((bits & 5)) -ne 0 ]; then echo "yes, now ($bits)"; else echo "earlier ($bits)"; fi ;;
      esac
    EOT
  }

  metadata {
    key          = "memory"
    display_name = "Memory"
    order        = 3
    interval     = 15
    timeout      = 5
    script       = "coder stat mem"
  }

  metadata {
    key          = "card"
    display_name = "Card"
    order        = 4
    interval     = 60
    timeout      = 5
    script       = "coder stat disk --path /"
  }

  metadata {
    key          = "load"
    display_name = "Load"
    order        = 5
    interval     = 15
    timeout      = 5
    script       = "cut -d' ' -f1-3 /proc/loadavg"
  }
}

resource "coder_external_agent" "main" {
  count    = data.coder_workspace.me.start_count
  agent_id = coder_agent.main.id
}
