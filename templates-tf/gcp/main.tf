terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
  }
}

variable "project" {
  description = "The id of the project."
  type        = string
}

variable "credentials" {
  description = "The key of a service account, the JSON text. Empty on a machine of Google Cloud: its own account is used then."
  type        = string
  sensitive   = true
}

variable "zones" {
  description = "The zones people may choose from. The first is the default."
  type        = list(string)
  default     = ["europe-west3-a", "europe-west1-b", "us-central1-a", "us-west1-a", "asia-southeast1-a"]
}

variable "network" {
  description = "The network of machines."
  type        = string
  default     = "default"
}

variable "subnetwork" {
  description = "The subnetwork, for a network that does not make its own. Empty for the network's."
  type        = string
  default     = ""
}

variable "public_address" {
  description = "Machines get an address of the internet. Turn it off where Cloud NAT leads out."
  type        = bool
  default     = true
}

variable "sudo" {
  description = "People may become root on their own machine, to install packages."
  type        = bool
  default     = true
}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "zone" {
  name         = "zone"
  display_name = "Zone"
  description  = "Where the machine is. It is set once."
  type         = "string"
  form_type    = "dropdown"
  default      = var.zones[0]
  order        = 1

  dynamic "option" {
    for_each = var.zones
    content {
      name  = option.value
      value = option.value
    }
  }
}

data "coder_parameter" "machine_type" {
  name         = "machine_type"
  display_name = "Size"
  description  = "What the machine is. It may be changed when the workspace is stopped."
  type         = "string"
  form_type    = "dropdown"
  default      = "e2-medium"
  mutable      = true
  order        = 2

  option {
    name        = "Small"
    description = "2 shared cores, 2 GiB"
    value       = "e2-small"
  }
  option {
    name        = "Medium"
    description = "2 shared cores, 4 GiB"
    value       = "e2-medium"
  }
  option {
    name        = "Large"
    description = "2 cores, 8 GiB"
    value       = "e2-standard-2"
  }
  option {
    name        = "Extra large"
    description = "4 cores, 16 GiB"
    value       = "e2-standard-4"
  }
  option {
    name        = "Double extra large"
    description = "8 cores, 32 GiB"
    value       = "e2-standard-8"
  }
}

data "coder_parameter" "home_size" {
  name         = "home_size"
  display_name = "Home (GiB)"
  description  = "The size of the disk that stays. It can grow."
  type         = "number"
  default      = 20
  mutable      = true
  order        = 3

  validation {
    min       = 10
    max       = 1000
    monotonic = "increasing"
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
  order        = 4
}

provider "google" {
  project     = var.project
  credentials = var.credentials != "" ? var.credentials : null
  zone        = data.coder_parameter.zone.value
}

locals {
  # Named by the workspace's id, so that renaming the workspace keeps it.
  name     = "steading-${data.coder_workspace.me.id}"
  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)

  # Labels are lower case.
  labels = {
    workspace_id = data.coder_workspace.me.id
    owner        = lower(data.coder_workspace_owner.me.name)
    workspace    = lower(data.coder_workspace.me.name)
  }

  # By the name under which the disk is attached.
  home_device = "/dev/disk/by-id/google-home"

  # What the machine does as root whenever it starts. The agent then runs as an account of
  # its own.
  boot = <<-EOT
    #!/bin/sh
    set -eu
    user=workspace
    home=/home/$user
    hostnamectl set-hostname "${lower(data.coder_workspace.me.name)}" || true

    # The disk of the home may come after the machine.
    tries=0
    until [ -b "${local.home_device}" ]; do
      tries=$((tries + 1))
      if [ "$tries" -gt 300 ]; then
        echo "The disk of the home did not come." >&2
        exit 1
      fi
      sleep 1
    done
    disk=$(readlink -f "${local.home_device}")
    # Only a disk on which nothing is found is formatted.
    blkid -p "$disk" >/dev/null 2>&1 || [ "$?" -ne 2 ] || mkfs.ext4 -q -m 0 "$disk"
    mkdir -p "$home"
    mountpoint -q "$home" || mount "$disk" "$home"
    # A disk that has grown; a home that has not is better than none.
    resize2fs "$disk" || true
    uuid=$(blkid -p -o value -s UUID "$disk")
    grep -q "$uuid" /etc/fstab || echo "UUID=$uuid $home ext4 defaults,nofail 0 2" >>/etc/fstab

    id "$user" >/dev/null 2>&1 || useradd --home-dir "$home" --no-create-home --shell /bin/bash "$user"
    mkdir -p "$home"
    [ -e "$home/.profile" ] || cp -rT /etc/skel "$home"
    [ "$(stat -c %U "$home")" = "$user" ] || chown -R "$user:" "$home"
    chmod 750 "$home"
    rm -f /etc/sudoers.d/workspace
    if ${var.sudo}; then
      mkdir -p /etc/sudoers.d
      (umask 0227 && echo "$user ALL=(ALL) NOPASSWD:ALL" >/etc/sudoers.d/workspace)
    fi

    mkdir -p /usr/local/lib/steading-agent
    base64 -d >/usr/local/lib/steading-agent/start.gz <<'END'
    ${base64gzip(coder_agent.main.init_script)}
    END
    gzip -dc /usr/local/lib/steading-agent/start.gz >/usr/local/lib/steading-agent/start
    (umask 077 && echo "CODER_AGENT_TOKEN=${coder_agent.main.token}" >/etc/steading-agent.env)
    cat >/etc/systemd/system/steading-agent.service <<'END'
    [Unit]
    Description=Steading agent: this machine is a workspace
    Wants=network-online.target
    After=network-online.target
    RequiresMountsFor=/home/workspace
    StartLimitIntervalSec=0

    [Service]
    User=workspace
    WorkingDirectory=/home/workspace
    EnvironmentFile=/etc/steading-agent.env
    Environment=CODER_AGENT_BINARY_DIR=/var/lib/steading-agent
    StateDirectory=steading-agent
    ExecStart=/bin/sh /usr/local/lib/steading-agent/start
    Restart=always
    RestartSec=5
    KillMode=mixed
    TimeoutStopSec=30
    OOMPolicy=continue

    [Install]
    WantedBy=multi-user.target
    END
    systemctl daemon-reload
    systemctl enable steading-agent.service
    systemctl restart steading-agent.service
  EOT
}

resource "coder_agent" "main" {
  os             = "linux"
  arch           = "amd64"
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
    display_name = "Home disk"
    script       = "coder stat disk --path \"$HOME\""
    interval     = 60
    timeout      = 5
    order        = 3
  }
}

# The home: it stays when the workspace stops, and goes when the workspace is deleted.
resource "google_compute_disk" "home" {
  name   = "${local.name}-home"
  zone   = data.coder_parameter.zone.value
  type   = "pd-balanced"
  size   = data.coder_parameter.home_size.value
  labels = local.labels
}

resource "google_compute_instance" "workspace" {
  count        = data.coder_workspace.me.start_count
  name         = local.name
  zone         = data.coder_parameter.zone.value
  machine_type = data.coder_parameter.machine_type.value
  labels       = local.labels

  boot_disk {
    auto_delete = true
    initialize_params {
      image = "ubuntu-os-cloud/ubuntu-2404-lts-amd64"
      size  = 20
      type  = "pd-balanced"
    }
  }

  attached_disk {
    source      = google_compute_disk.home.self_link
    device_name = "home"
  }

  network_interface {
    network    = var.subnetwork == "" ? var.network : null
    subnetwork = var.subnetwork == "" ? null : var.subnetwork

    dynamic "access_config" {
      for_each = var.public_address ? ["ephemeral"] : []
      content {}
    }
  }

  # There is no service account, so nobody gets at the project from the machine.
  metadata = {
    block-project-ssh-keys = "true"
  }

  # A change of it is a new machine.
  metadata_startup_script = local.boot
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = google_compute_instance.workspace[0].id

  item {
    key   = "zone"
    value = data.coder_parameter.zone.value
  }
  item {
    key   = "size"
    value = data.coder_parameter.machine_type.value
  }
}

resource "coder_metadata" "home" {
  resource_id = google_compute_disk.home.id

  item {
    key   = "size"
    value = "${data.coder_parameter.home_size.value} GiB"
  }
}
