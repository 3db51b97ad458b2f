terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    docker = {
      source = "kreuzwerker/docker"
    }
  }
}

variable "docker_host" {
  description = "The engine, such as unix:///run/user/1000/docker.sock or ssh://user@host. Empty for the usual socket."
  type        = string
  default     = ""
}

variable "images" {
  description = "The images people may choose from. The first is the default."
  type        = list(string)
  default     = ["buildpack-deps:stable", "node:lts", "python:3", "alpine:latest"]
}

variable "pull" {
  description = "Pull the image. Turn it off for images that only this engine has."
  type        = bool
  default     = true
}

variable "network" {
  description = "The network of containers: bridge, host, or one of yours by name."
  type        = string
  default     = "bridge"
}

provider "docker" {
  host = var.docker_host != "" ? var.docker_host : null
}

data "coder_provisioner" "me" {}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "image" {
  name         = "image"
  display_name = "Image"
  description  = "What the container is made from. Anything with a shell and wget or curl works."
  type         = "string"
  form_type    = "dropdown"
  default      = var.images[0]
  mutable      = true
  icon         = "/icon/docker.svg"
  order        = 1

  dynamic "option" {
    for_each = var.images
    content {
      name  = option.value
      value = option.value
    }
  }
}

data "coder_parameter" "cores" {
  name         = "cores"
  display_name = "Processor cores"
  description  = "How many it may use at once."
  type         = "number"
  form_type    = "slider"
  default      = 2
  mutable      = true
  order        = 2

  validation {
    min = 1
    max = 16
  }
}

data "coder_parameter" "memory" {
  name         = "memory"
  display_name = "Memory (GiB)"
  description  = "The most it may use."
  type         = "number"
  form_type    = "slider"
  default      = 4
  mutable      = true
  order        = 3

  validation {
    min = 1
    max = 64
  }
}

locals {
  name = lower("steading-${data.coder_workspace_owner.me.name}-${data.coder_workspace.me.name}")

  # A server on this machine's loopback is at host.docker.internal inside a container of its own network.
  loopback    = var.network == "host" ? "127.0.0.1" : "host.docker.internal"
  init_script = replace(coder_agent.main.init_script, "/(localhost|127\\.0\\.0\\.1|\\[::1\\])/", local.loopback)

  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch

  env = {
    GIT_AUTHOR_NAME     = local.git_name
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = local.git_name
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }

  metadata {
    key          = "memory"
    display_name = "Memory in use"
    script       = "cat /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes 2>/dev/null | awk 'NR==1 {printf \"%.2f GiB\", $1/1073741824}'"
    interval     = 15
    timeout      = 2
    order        = 1
  }

  metadata {
    key          = "load"
    display_name = "Load of the host"
    script       = "cut -d' ' -f1-3 /proc/loadavg"
    interval     = 15
    timeout      = 2
    order        = 2
  }

  metadata {
    key          = "home"
    display_name = "Home volume"
    script       = "df -h \"$HOME\" | awk 'NR==2 {print $3 \" of \" $2}'"
    interval     = 60
    timeout      = 5
    order        = 3
  }
}

resource "docker_image" "workspace" {
  count        = var.pull ? 1 : 0
  name         = data.coder_parameter.image.value
  keep_locally = true
}

# The volume is named by the workspace's id, so that renaming the workspace keeps it.
resource "docker_volume" "home" {
  name = "steading-${data.coder_workspace.me.id}-home"

  labels {
    label = "coder.workspace_id"
    value = data.coder_workspace.me.id
  }
  labels {
    label = "coder.owner"
    value = data.coder_workspace_owner.me.name
  }

  lifecycle {
    ignore_changes = all
  }
}

resource "docker_container" "workspace" {
  count    = data.coder_workspace.me.start_count
  name     = local.name
  hostname = lower(data.coder_workspace.me.name)
  image    = var.pull ? docker_image.workspace[0].image_id : data.coder_parameter.image.value

  entrypoint = ["sh", "-c", local.init_script]
  env        = ["CODER_AGENT_TOKEN=${coder_agent.main.token}", "HOME=/home/workspace"]

  network_mode = var.network

  working_dir = "/home/workspace"
  memory      = data.coder_parameter.memory.value * 1024
  cpus        = tostring(data.coder_parameter.cores.value)

  dynamic "host" {
    for_each = var.network == "host" ? [] : ["host.docker.internal"]
    content {
      host = host.value
      ip   = "host-gateway"
    }
  }

  volumes {
    volume_name    = docker_volume.home.name
    container_path = "/home/workspace"
  }

  labels {
    label = "coder.workspace_id"
    value = data.coder_workspace.me.id
  }
  labels {
    label = "coder.owner"
    value = data.coder_workspace_owner.me.name
  }
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = docker_container.workspace[0].id

  item {
    key   = "image"
    value = data.coder_parameter.image.value
  }
  item {
    key   = "cores"
    value = data.coder_parameter.cores.value
  }
  item {
    key   = "memory"
    value = "${data.coder_parameter.memory.value} GiB"
  }
}

resource "coder_metadata" "home" {
  resource_id = docker_volume.home.id
  hide        = true
}
