terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

variable "access_key" {
  description = "The id of an access key. Empty on an EC2 machine: its role is used then."
  type        = string
}

variable "secret_key" {
  description = "The secret of that key. Empty without one."
  type        = string
  sensitive   = true
}

variable "regions" {
  description = "The regions people may choose from. The first is the default."
  type        = list(string)
  default     = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-southeast-1"]
}

variable "subnet_id" {
  description = "The subnet of machines; it fixes the region. Empty for the default network of the region."
  type        = string
  default     = ""
}

variable "sudo" {
  description = "People may become root on their own machine, to install packages."
  type        = bool
  default     = true
}

data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}

data "coder_parameter" "region" {
  name         = "region"
  display_name = "Region"
  description  = "Where the machine is. It is set once."
  type         = "string"
  form_type    = "dropdown"
  default      = var.regions[0]
  order        = 1

  dynamic "option" {
    for_each = var.regions
    content {
      name  = option.value
      value = option.value
    }
  }
}

data "coder_parameter" "instance_type" {
  name         = "instance_type"
  display_name = "Size"
  description  = "What the machine is. It may be changed when the workspace is stopped."
  type         = "string"
  form_type    = "dropdown"
  default      = "t3.medium"
  mutable      = true
  order        = 2

  option {
    name        = "Small"
    description = "2 cores, 2 GiB"
    value       = "t3.small"
  }
  option {
    name        = "Medium"
    description = "2 cores, 4 GiB"
    value       = "t3.medium"
  }
  option {
    name        = "Large"
    description = "2 cores, 8 GiB"
    value       = "t3.large"
  }
  option {
    name        = "Extra large"
    description = "4 cores, 16 GiB"
    value       = "t3.xlarge"
  }
  option {
    name        = "Double extra large"
    description = "8 cores, 32 GiB"
    value       = "t3.2xlarge"
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

provider "aws" {
  region     = data.coder_parameter.region.value
  access_key = var.access_key != "" ? var.access_key : null
  secret_key = var.access_key != "" ? var.secret_key : null

  default_tags {
    tags = {
      "Name"               = "${data.coder_workspace_owner.me.name}/${data.coder_workspace.me.name}"
      "coder.workspace_id" = data.coder_workspace.me.id
      "coder.owner"        = data.coder_workspace_owner.me.name
      "coder.workspace"    = data.coder_workspace.me.name
    }
  }
}

data "aws_availability_zones" "there" {
  state = "available"
}

data "aws_subnet" "given" {
  count = var.subnet_id == "" ? 0 : 1
  id    = var.subnet_id
}

# Ubuntu's own images, the newest of them.
data "aws_ami" "ubuntu" {
  most_recent = true
  owners      = ["099720109477"]

  filter {
    name   = "name"
    values = ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"]
  }
}

locals {
  zone     = var.subnet_id == "" ? data.aws_availability_zones.there.names[0] : data.aws_subnet.given[0].availability_zone
  git_name = coalesce(data.coder_workspace_owner.me.full_name, data.coder_workspace_owner.me.name)

  # The name that a machine of today's kinds gives a disk: the volume's id without its hyphen.
  home_device = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${replace(aws_ebs_volume.home.id, "-", "")}"

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

# The home: it stays when the workspace stops, and goes when the workspace is deleted.
resource "aws_ebs_volume" "home" {
  availability_zone = local.zone
  size              = data.coder_parameter.home_size.value
  type              = "gp3"
  encrypted         = true

  lifecycle {
    ignore_changes = [availability_zone]
  }
}

# Nothing comes in: the agent connects out.
resource "aws_security_group" "workspace" {
  name        = "steading-${data.coder_workspace.me.id}"
  description = "Steading: a workspace, out only"
  vpc_id      = var.subnet_id == "" ? null : data.aws_subnet.given[0].vpc_id

  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_instance" "workspace" {
  count                       = data.coder_workspace.me.start_count
  ami                         = data.aws_ami.ubuntu.id
  instance_type               = data.coder_parameter.instance_type.value
  availability_zone           = aws_ebs_volume.home.availability_zone
  subnet_id                   = var.subnet_id == "" ? null : var.subnet_id
  vpc_security_group_ids      = [aws_security_group.workspace.id]
  user_data                   = local.boot
  user_data_replace_on_change = true

  root_block_device {
    volume_type = "gp3"
    volume_size = 20
    encrypted   = true
  }

  # A program has to ask for a session before it is told about the machine, and no container is told.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  lifecycle {
    # A newer image is taken at the next start.
    ignore_changes = [ami]
  }
}

resource "aws_volume_attachment" "home" {
  count       = data.coder_workspace.me.start_count
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.home.id
  instance_id = aws_instance.workspace[0].id
  # So that what was written is on the disk.
  stop_instance_before_detaching = true
}

resource "coder_metadata" "workspace" {
  count       = data.coder_workspace.me.start_count
  resource_id = aws_instance.workspace[0].id

  item {
    key   = "region"
    value = data.coder_parameter.region.value
  }
  item {
    key   = "size"
    value = data.coder_parameter.instance_type.value
  }
  item {
    key   = "machine"
    value = aws_instance.workspace[0].id
  }
}

resource "coder_metadata" "home" {
  resource_id = aws_ebs_volume.home.id

  item {
    key   = "size"
    value = "${data.coder_parameter.home_size.value} GiB"
  }
}

resource "coder_metadata" "network" {
  resource_id = aws_security_group.workspace.id
  hide        = true
}

resource "coder_metadata" "attachment" {
  count       = data.coder_workspace.me.start_count
  resource_id = aws_volume_attachment.home[0].id
  hide        = true
}
