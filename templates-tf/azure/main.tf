terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
    tls = {
      source  = "hashicorp/tls"
      version = "~> 4.0"
    }
  }
}

variable "subscription_id" {
  description = "The id of the subscription."
  type        = string
}

variable "tenant_id" {
  description = "The id of the tenant. Empty with a managed identity."
  type        = string
}

variable "client_id" {
  description = "The application id of a service principal. Empty on a machine of Azure: its managed identity is used then."
  type        = string
}

variable "client_secret" {
  description = "The secret of the service principal. Empty with a managed identity."
  type        = string
  sensitive   = true
}

variable "locations" {
  description = "The locations people may choose from. The first is the default."
  type        = list(string)
  default     = ["germanywestcentral", "westeurope", "eastus2", "westus3", "southeastasia"]
}

variable "sudo" {
  description = "People may become root on their own machine, to install packages."
  type        = bool
  default     = true
}

provider "azurerm" {
  subscription_id = var.subscription_id
  tenant_id       = var.tenant_id != "" ? var.tenant_id : null
  client_id       = var.client_id != "" ? var.client_id : null
  client_secret   = var.client_id != "" ? var.client_secret : null
  use_msi         = var.client_id == ""
  use_cli         = false

  # An account for workspaces need not turn on parts of Azure for the whole subscription.
  resource_provider_registrations = "none"

  features {
    resource_group {
      # What Azure puts into the group by itself goes with it.
      prevent_deletion_if_contains_resources = false
    }
  }
}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "location" {
  name         = "location"
  display_name = "Location"
  description  = "Where the machine is. It is set once."
  type         = "string"
  form_type    = "dropdown"
  default      = var.locations[0]
  order        = 1

  dynamic "option" {
    for_each = var.locations
    content {
      name  = option.value
      value = option.value
    }
  }
}

data "coder_parameter" "size" {
  name         = "size"
  display_name = "Size"
  description  = "What the machine is. It may be changed when the workspace is stopped."
  type         = "string"
  form_type    = "dropdown"
  default      = "Standard_B2ms"
  mutable      = true
  order        = 2

  option {
    name        = "Small"
    description = "2 cores, 4 GiB, for short loads"
    value       = "Standard_B2s"
  }
  option {
    name        = "Medium"
    description = "2 cores, 8 GiB, for short loads"
    value       = "Standard_B2ms"
  }
  option {
    name        = "Large"
    description = "2 cores, 8 GiB"
    value       = "Standard_D2s_v5"
  }
  option {
    name        = "Extra large"
    description = "4 cores, 16 GiB"
    value       = "Standard_D4s_v5"
  }
  option {
    name        = "Double extra large"
    description = "8 cores, 32 GiB"
    value       = "Standard_D8s_v5"
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

locals {
  # Named by the workspace's id, so that renaming the workspace keeps it.
  name     = "steading-${data.coder_workspace.me.id}"
  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)

  tags = {
    "coder.workspace_id" = data.coder_workspace.me.id
    "coder.owner"        = data.coder_workspace_owner.me.name
    "coder.workspace"    = data.coder_workspace.me.name
  }

  # By the number under which the disk is attached.
  home_device = "/dev/disk/azure/scsi1/lun10"

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

# All that belongs to the workspace, to be seen and to be deleted together.
resource "azurerm_resource_group" "workspace" {
  name     = local.name
  location = data.coder_parameter.location.value
  tags     = local.tags
}

# The home: it stays when the workspace stops, and goes when the workspace is deleted.
resource "azurerm_managed_disk" "home" {
  name                 = "home"
  resource_group_name  = azurerm_resource_group.workspace.name
  location             = azurerm_resource_group.workspace.location
  storage_account_type = "StandardSSD_LRS"
  create_option        = "Empty"
  disk_size_gb         = data.coder_parameter.home_size.value
  tags                 = local.tags
}

resource "azurerm_virtual_network" "workspace" {
  name                = "network"
  resource_group_name = azurerm_resource_group.workspace.name
  location            = azurerm_resource_group.workspace.location
  address_space       = ["10.0.0.0/24"]
  tags                = local.tags
}

resource "azurerm_subnet" "workspace" {
  name                 = "workspace"
  resource_group_name  = azurerm_resource_group.workspace.name
  virtual_network_name = azurerm_virtual_network.workspace.name
  address_prefixes     = ["10.0.0.0/28"]
}

# Its rules are Azure's own: nothing comes in, for the agent connects out.
resource "azurerm_network_security_group" "workspace" {
  name                = "out-only"
  resource_group_name = azurerm_resource_group.workspace.name
  location            = azurerm_resource_group.workspace.location
  tags                = local.tags
}

resource "azurerm_subnet_network_security_group_association" "workspace" {
  subnet_id                 = azurerm_subnet.workspace.id
  network_security_group_id = azurerm_network_security_group.workspace.id
}

# The way out.
resource "azurerm_public_ip" "workspace" {
  count               = data.coder_workspace.me.start_count
  name                = "address"
  resource_group_name = azurerm_resource_group.workspace.name
  location            = azurerm_resource_group.workspace.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = local.tags
}

resource "azurerm_network_interface" "workspace" {
  count               = data.coder_workspace.me.start_count
  name                = "interface"
  resource_group_name = azurerm_resource_group.workspace.name
  location            = azurerm_resource_group.workspace.location
  tags                = local.tags

  ip_configuration {
    name                          = "internal"
    subnet_id                     = azurerm_subnet.workspace.id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.workspace[0].id
  }
}

# Azure wants a key or a password for the first account. Nobody signs in with this one.
resource "tls_private_key" "unused" {
  algorithm = "RSA"
  rsa_bits  = 3072
}

resource "azurerm_linux_virtual_machine" "workspace" {
  count                 = data.coder_workspace.me.start_count
  name                  = local.name
  computer_name         = lower(data.coder_workspace.me.name)
  resource_group_name   = azurerm_resource_group.workspace.name
  location              = azurerm_resource_group.workspace.location
  size                  = data.coder_parameter.size.value
  network_interface_ids = [azurerm_network_interface.workspace[0].id]
  admin_username        = "azure"
  # A change of it is a new machine.
  custom_data = base64encode(local.boot)
  tags        = local.tags

  admin_ssh_key {
    username   = "azure"
    public_key = tls_private_key.unused.public_key_openssh
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }

  source_image_reference {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }
}

resource "azurerm_virtual_machine_data_disk_attachment" "home" {
  count              = data.coder_workspace.me.start_count
  managed_disk_id    = azurerm_managed_disk.home.id
  virtual_machine_id = azurerm_linux_virtual_machine.workspace[0].id
  lun                = 10
  caching            = "ReadWrite"
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = azurerm_linux_virtual_machine.workspace[0].id

  item {
    key   = "location"
    value = data.coder_parameter.location.value
  }
  item {
    key   = "size"
    value = data.coder_parameter.size.value
  }
}

resource "coder_metadata" "home" {
  resource_id = azurerm_managed_disk.home.id

  item {
    key   = "size"
    value = "${data.coder_parameter.home_size.value} GiB"
  }
}

resource "coder_metadata" "group" {
  resource_id = azurerm_resource_group.workspace.id
  hide        = true
}

resource "coder_metadata" "network" {
  resource_id = azurerm_virtual_network.workspace.id
  hide        = true
}

resource "coder_metadata" "subnet" {
  resource_id = azurerm_subnet.workspace.id
  hide        = true
}

resource "coder_metadata" "rules" {
  resource_id = azurerm_network_security_group.workspace.id
  hide        = true
}

resource "coder_metadata" "association" {
  resource_id = azurerm_subnet_network_security_group_association.workspace.id
  hide        = true
}

resource "coder_metadata" "key" {
  resource_id = tls_private_key.unused.id
  hide        = true
}

resource "coder_metadata" "address" {
  count       = data.coder_workspace.me.start_count
  resource_id = azurerm_public_ip.workspace[0].id
  hide        = true
}

resource "coder_metadata" "interface" {
  count       = data.coder_workspace.me.start_count
  resource_id = azurerm_network_interface.workspace[0].id
  hide        = true
}

resource "coder_metadata" "attachment" {
  count       = data.coder_workspace.me.start_count
  resource_id = azurerm_virtual_machine_data_disk_attachment.home[0].id
  hide        = true
}
