terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    # 0.9 names nearly everything otherwise.
    libvirt = {
      source  = "dmacvicar/libvirt"
      version = "~> 0.8.3"
    }
  }
}

variable "uri" {
  description = "The libvirt daemon, such as qemu:///system or qemu+ssh://user@host/system?keyfile=/etc/steading/id_ed25519&knownhosts=/etc/steading/known_hosts."
  type        = string
  default     = "qemu:///system"
}

variable "pool" {
  description = "The storage pool of the image and of workspaces' disks."
  type        = string
  default     = "default"
}

variable "image" {
  description = "A volume of the pool that every machine begins as: a cloud image with cloud-init, in qcow2."
  type        = string
  default     = "noble-server-cloudimg-amd64.img"
}

variable "network" {
  description = "The libvirt network of machines. Not used with a bridge."
  type        = string
  default     = "default"
}

variable "bridge" {
  description = "A bridge of the host, to put machines into its own network. Empty for the libvirt network."
  type        = string
  default     = ""
}

variable "arch" {
  description = "The host's processor: amd64 or arm64."
  type        = string
  default     = "amd64"
}

variable "sudo" {
  description = "People may become root on their own machine, to install packages."
  type        = bool
  default     = true
}

provider "libvirt" {
  uri = var.uri
}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "cores" {
  name         = "cores"
  display_name = "Processor cores"
  description  = "How many the machine has."
  type         = "number"
  form_type    = "slider"
  default      = 2
  mutable      = true
  order        = 1

  validation {
    min = 1
    max = 16
  }
}

data "coder_parameter" "memory" {
  name         = "memory"
  display_name = "Memory (GiB)"
  description  = "How much the machine has."
  type         = "number"
  form_type    = "slider"
  default      = 4
  mutable      = true
  order        = 2

  validation {
    min = 1
    max = 64
  }
}

data "coder_parameter" "home_size" {
  name         = "home_size"
  display_name = "Home (GiB)"
  description  = "The size of the disk that stays. It is set once."
  type         = "number"
  default      = 20
  order        = 3

  validation {
    min = 10
    max = 1000
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

locals {
  # Named by the workspace's id, so that renaming the workspace keeps it.
  name     = "steading-${data.coder_workspace.me.id}"
  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)

  # The first disk is the system, the second the home.
  home_device = "/dev/vdb"

  # What the machine does as root when it starts for the first time. The agent then runs as an account of
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
  arch           = var.arch
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
resource "libvirt_volume" "home" {
  name   = "${local.name}-home.qcow2"
  pool   = var.pool
  format = "qcow2"
  size   = data.coder_parameter.home_size.value * 1073741824

  lifecycle {
    ignore_changes = all
  }
}

# The system holds only what differs from the image.
resource "libvirt_volume" "system" {
  count            = data.coder_workspace.me.start_count
  name             = "${local.name}-system.qcow2"
  pool             = var.pool
  format           = "qcow2"
  base_volume_name = var.image
  base_volume_pool = var.pool
  size             = 20 * 1073741824
}

resource "libvirt_cloudinit_disk" "boot" {
  count     = data.coder_workspace.me.start_count
  name      = "${local.name}-boot.iso"
  pool      = var.pool
  user_data = local.boot
  meta_data = yamlencode({
    instance-id    = data.coder_workspace.me.id
    local-hostname = lower(data.coder_workspace.me.name)
  })
}

resource "libvirt_domain" "workspace" {
  count       = data.coder_workspace.me.start_count
  name        = local.name
  description = "Steading: ${data.coder_workspace_owner.me.name}/${data.coder_workspace.me.name}"
  vcpu        = data.coder_parameter.cores.value
  memory      = data.coder_parameter.memory.value * 1024
  cloudinit   = libvirt_cloudinit_disk.boot[0].id

  cpu {
    mode = "host-passthrough"
  }

  disk {
    volume_id = libvirt_volume.system[0].id
  }
  disk {
    volume_id = libvirt_volume.home.id
  }

  network_interface {
    network_name = var.bridge == "" ? var.network : null
    bridge       = var.bridge == "" ? null : var.bridge
  }

  # Cloud images want a serial console; `virsh console` shows it.
  console {
    type        = "pty"
    target_port = "0"
    target_type = "serial"
  }

  lifecycle {
    # What boots it is read once, so a change is a new machine.
    replace_triggered_by = [libvirt_cloudinit_disk.boot]
  }
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = libvirt_domain.workspace[0].id

  item {
    key   = "image"
    value = var.image
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
  resource_id = libvirt_volume.home.id

  item {
    key   = "size"
    value = "${data.coder_parameter.home_size.value} GiB"
  }
}

resource "coder_metadata" "system" {
  count       = data.coder_workspace.me.start_count
  resource_id = libvirt_volume.system[0].id
  hide        = true
}

resource "coder_metadata" "boot" {
  count       = data.coder_workspace.me.start_count
  resource_id = libvirt_cloudinit_disk.boot[0].id
  hide        = true
}
