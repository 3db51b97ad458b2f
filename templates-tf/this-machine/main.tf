terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    steading = {
      source = "steading/steading"
    }
  }
}

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "startup_script" {
  name         = "startup_script"
  display_name = "Startup script"
  description  = "Commands to run each time the workspace starts."
  type         = "string"
  form_type    = "textarea"
  default      = ""
  mutable      = true
  order        = 1
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

resource "coder_agent" "main" {
  os             = data.coder_provisioner.me.os
  arch           = data.coder_provisioner.me.arch
  dir            = data.coder_parameter.directory.value
  startup_script = data.coder_parameter.startup_script.value

  env = {
    GIT_AUTHOR_NAME     = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }

  metadata {
    key          = "load"
    display_name = "Load of the machine"
    script       = "cut -d' ' -f1-3 /proc/loadavg"
    interval     = 15
    timeout      = 2
    order        = 1
  }

  metadata {
    key          = "memory"
    display_name = "Memory of the machine"
    script       = "awk '/^MemTotal/ {t=$2} /^MemAvailable/ {a=$2} END {printf \"%.1f of %.1f GiB\", (t-a)/1048576, t/1048576}' /proc/meminfo"
    interval     = 15
    timeout      = 2
    order        = 2
  }

  metadata {
    key          = "home"
    display_name = "Home directory"
    script       = "du -sh \"$HOME\" 2>/dev/null | cut -f1"
    interval     = 600
    timeout      = 60
    order        = 3
  }
}

resource "steading_process" "workspace" {
  count       = data.coder_workspace.me.start_count
  agent_token = coder_agent.main.token
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = steading_process.workspace[0].id

  item {
    key   = "home"
    value = steading_process.workspace[0].home
  }
  item {
    key   = "isolated"
    value = steading_process.workspace[0].isolated ? "yes, a user of its own" : "no, the server's user"
  }
}
