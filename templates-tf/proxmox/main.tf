terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    proxmox = {
      source  = "bpg/proxmox"
      version = "~> 0.80"
    }
  }
}

variable "endpoint" {
  description = "The cluster's URL, such as https://pve.lan:8006/."
  type        = string
}

variable "api_token" {
  description = "A token of Proxmox's API: user@realm!name=secret."
  type        = string
  sensitive   = true
}

variable "ssh_user" {
  description = "The account of the node by which files for cloud-init are written; the API has no way to."
  type        = string
  default     = "root"
}

variable "ssh_private_key" {
  description = "The private key of that account."
  type        = string
  sensitive   = true
}

variable "insecure" {
  description = "Take any certificate, such as the one that Proxmox makes for itself."
  type        = bool
  default     = false
}

variable "node" {
  description = "The node on which workspaces run."
  type        = string
  default     = "pve"
}

variable "image" {
  description = "The cloud image that every machine begins as: an import image of a storage."
  type        = string
  default     = "local:import/noble-server-cloudimg-amd64.qcow2"
}

variable "storage" {
  description = "The storage of disks."
  type        = string
  default     = "local-lvm"
}

variable "snippets" {
  description = "A storage that takes snippets."
  type        = string
  default     = "local"
}

variable "bridge" {
  description = "The bridge that machines are connected to."
  type        = string
  default     = "vmbr0"
}

variable "sudo" {
  description = "People may become root on their own machine, to install packages."
  type        = bool
  default     = true
}

provider "proxmox" {
  endpoint  = var.endpoint
  api_token = var.api_token
  insecure  = var.insecure

  ssh {
    username    = var.ssh_user
    private_key = var.ssh_private_key
  }
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
  label    = "Steading: ${data.coder_workspace_owner.me.name}/${data.coder_workspace.me.name}"
  tags     = sort(["steading", lower(data.coder_workspace_owner.me.name)])
  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)

  home_device = "/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_drive-scsi1"

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

# A disk of Proxmox belongs to a machine. This one is never started: it keeps the home while the
# workspace is stopped, and goes when the workspace is deleted.
resource "proxmox_virtual_environment_vm" "home" {
  name        = "${local.name}-home"
  description = "${local.label}, the home"
  tags        = local.tags
  node_name   = var.node
  started     = false
  on_boot     = false

  disk {
    datastore_id = var.storage
    interface    = "scsi0"
    size         = data.coder_parameter.home_size.value
    file_format  = "raw"
    discard      = "on"
  }

  lifecycle {
    # Nothing that changes in the template makes it anew.
    ignore_changes = all
  }
}

resource "proxmox_virtual_environment_file" "boot" {
  count        = data.coder_workspace.me.start_count
  content_type = "snippets"
  datastore_id = var.snippets
  node_name    = var.node

  source_raw {
    file_name = "${local.name}.sh"
    data      = local.boot
  }
}

resource "proxmox_virtual_environment_vm" "workspace" {
  count       = data.coder_workspace.me.start_count
  name        = local.name
  description = local.label
  tags        = local.tags
  node_name   = var.node
  on_boot     = true
  # It is shut down before it goes, so that the home is written; one that hangs is not waited for.
  timeout_shutdown_vm = 300

  cpu {
    cores = data.coder_parameter.cores.value
    type  = "x86-64-v2-AES"
  }

  memory {
    dedicated = data.coder_parameter.memory.value * 1024
    floating  = data.coder_parameter.memory.value * 1024
  }

  operating_system {
    type = "l26"
  }

  disk {
    datastore_id = var.storage
    interface    = "scsi0"
    import_from  = var.image
    size         = 20
    discard      = "on"
  }

  disk {
    datastore_id      = proxmox_virtual_environment_vm.home.disk[0].datastore_id
    path_in_datastore = proxmox_virtual_environment_vm.home.disk[0].path_in_datastore
    file_format       = proxmox_virtual_environment_vm.home.disk[0].file_format
    size              = proxmox_virtual_environment_vm.home.disk[0].size
    interface         = "scsi1"
    discard           = "on"
  }

  network_device {
    bridge = var.bridge
  }

  # Cloud images want a serial console.
  serial_device {}

  initialization {
    datastore_id      = var.storage
    user_data_file_id = proxmox_virtual_environment_file.boot[0].id

    ip_config {
      ipv4 {
        address = "dhcp"
      }
    }
  }

  lifecycle {
    # What boots it is read once, so a change is a new machine.
    replace_triggered_by = [proxmox_virtual_environment_file.boot]
  }
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = proxmox_virtual_environment_vm.workspace[0].id

  item {
    key   = "node"
    value = var.node
  }
  item {
    key   = "machine"
    value = proxmox_virtual_environment_vm.workspace[0].vm_id
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
  resource_id = proxmox_virtual_environment_vm.home.id

  item {
    key   = "size"
    value = "${data.coder_parameter.home_size.value} GiB"
  }
}

resource "coder_metadata" "boot" {
  count       = data.coder_workspace.me.start_count
  resource_id = proxmox_virtual_environment_file.boot[0].id
  hide        = true
}
