terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = "~> 2.38"
    }
  }
}

variable "kubeconfig" {
  description = "Path of a kubeconfig on the server's machine. Empty when the server runs in the cluster: its service account is used then."
  type        = string
}

variable "context" {
  description = "The context of the kubeconfig. Empty for its current one."
  type        = string
  default     = ""
}

variable "namespace" {
  description = "The namespace of workspaces. It has to be there."
  type        = string
  default     = "default"
}

variable "storage_class" {
  description = "The storage class of homes. Empty for the cluster's default."
  type        = string
  default     = ""
}

variable "images" {
  description = "The images people may choose from. The first is the default."
  type        = list(string)
  default     = ["buildpack-deps:stable", "node:lts", "python:3", "golang:latest", "rust:latest"]
}

locals {
  in_cluster = var.kubeconfig == ""
  account    = "/var/run/secrets/kubernetes.io/serviceaccount"
}

provider "kubernetes" {
  config_path            = local.in_cluster ? null : var.kubeconfig
  config_context         = var.context != "" ? var.context : null
  host                   = local.in_cluster ? "https://kubernetes.default.svc" : null
  token                  = local.in_cluster ? try(file("${local.account}/token"), null) : null
  cluster_ca_certificate = local.in_cluster ? try(file("${local.account}/ca.crt"), null) : null
}

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

data "coder_parameter" "home_size" {
  name         = "home_size"
  display_name = "Home (GiB)"
  description  = "The size of the volume that stays. It is set once."
  type         = "number"
  default      = 20
  order        = 4

  validation {
    min = 10
    max = 1000
  }
}

data "coder_parameter" "arch" {
  name         = "arch"
  display_name = "Processor"
  description  = "What the nodes run on."
  type         = "string"
  form_type    = "radio"
  default      = "amd64"
  order        = 5

  option {
    name        = "x86-64"
    description = "Intel and AMD"
    value       = "amd64"
  }
  option {
    name        = "ARM, 64 bit"
    description = "Graviton, Ampere, Raspberry Pi"
    value       = "arm64"
  }
}

data "coder_parameter" "startup_script" {
  name         = "startup_script"
  display_name = "Startup script"
  description  = "Commands to run each time the workspace starts."
  type         = "string"
  form_type    = "textarea"
  default      = ""
  mutable      = true
  order        = 6
}

locals {
  # Named by the workspace's id, so that renaming the workspace keeps it.
  name     = "steading-${data.coder_workspace.me.id}"
  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)
  labels = {
    "coder.workspace_id" = data.coder_workspace.me.id
    "coder.owner"        = lower(data.coder_workspace_owner.me.name)
    "coder.workspace"    = lower(data.coder_workspace.me.name)
  }
}

resource "coder_agent" "main" {
  os             = "linux"
  arch           = data.coder_parameter.arch.value
  startup_script = data.coder_parameter.startup_script.value

  env = {
    GIT_AUTHOR_NAME     = local.git_name
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = local.git_name
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }

  metadata {
    key          = "cpu"
    display_name = "Processor"
    script       = "coder stat cpu"
    interval     = 15
    timeout      = 5
    order        = 1
  }

  metadata {
    key          = "memory"
    display_name = "Memory"
    script       = "coder stat mem"
    interval     = 15
    timeout      = 5
    order        = 2
  }

  metadata {
    key          = "home"
    display_name = "Home volume"
    script       = "coder stat disk --path \"$HOME\""
    interval     = 60
    timeout      = 5
    order        = 3
  }
}

# The home: it stays when the workspace stops, and goes when the workspace is deleted.
resource "kubernetes_persistent_volume_claim_v1" "home" {
  # Many classes make the volume when the pod comes, so waiting for it here would be for ever.
  wait_until_bound = false

  metadata {
    name      = "${local.name}-home"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = var.storage_class != "" ? var.storage_class : null

    resources {
      requests = {
        storage = "${data.coder_parameter.home_size.value}Gi"
      }
    }
  }
}

# The token in a secret, so that who may read deployments does not read it.
resource "kubernetes_secret_v1" "agent" {
  count = data.coder_workspace.me.start_count

  metadata {
    name      = "${local.name}-agent"
    namespace = var.namespace
    labels    = local.labels
  }

  data = {
    token = coder_agent.main.token
  }
}

resource "kubernetes_deployment_v1" "workspace" {
  count = data.coder_workspace.me.start_count
  # The workspace's page shows how the agent comes; an image that is fetched slowly is no failure.
  wait_for_rollout = false

  metadata {
    name      = local.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    replicas = 1

    # Two pods never have the home at once.
    strategy {
      type = "Recreate"
    }

    selector {
      match_labels = {
        "coder.workspace_id" = data.coder_workspace.me.id
      }
    }

    template {
      metadata {
        labels = local.labels
        annotations = {
          # A new token is a new pod.
          "coder.agent" = sha256(coder_agent.main.token)
        }
      }

      spec {
        hostname                        = lower(data.coder_workspace.me.name)
        automount_service_account_token = false
        enable_service_links            = false

        node_selector = {
          "kubernetes.io/arch" = data.coder_parameter.arch.value
        }

        # Nobody is root in it.
        security_context {
          run_as_non_root        = true
          run_as_user            = 1000
          run_as_group           = 1000
          fs_group               = 1000
          fs_group_change_policy = "OnRootMismatch"

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name        = "workspace"
          image       = data.coder_parameter.image.value
          command     = ["sh", "-c", coder_agent.main.init_script]
          working_dir = "/home/workspace"

          env {
            name  = "HOME"
            value = "/home/workspace"
          }
          env {
            name = "CODER_AGENT_TOKEN"
            value_from {
              secret_key_ref {
                name = kubernetes_secret_v1.agent[0].metadata[0].name
                key  = "token"
              }
            }
          }

          security_context {
            allow_privilege_escalation = false
            capabilities {
              drop = ["ALL"]
            }
          }

          resources {
            requests = {
              cpu    = "250m"
              memory = "512Mi"
            }
            limits = {
              cpu    = data.coder_parameter.cores.value
              memory = "${data.coder_parameter.memory.value}Gi"
            }
          }

          volume_mount {
            name       = "home"
            mount_path = "/home/workspace"
          }
        }

        volume {
          name = "home"
          persistent_volume_claim {
            claim_name = kubernetes_persistent_volume_claim_v1.home.metadata[0].name
          }
        }
      }
    }
  }
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = kubernetes_deployment_v1.workspace[0].id

  item {
    key   = "namespace"
    value = var.namespace
  }
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
  resource_id = kubernetes_persistent_volume_claim_v1.home.id

  item {
    key   = "size"
    value = "${data.coder_parameter.home_size.value} GiB"
  }
}

resource "coder_metadata" "agent" {
  count       = data.coder_workspace.me.start_count
  resource_id = kubernetes_secret_v1.agent[0].id
  hide        = true
}
