//! The SSH server that the front door and `ssh --stdio` share, and what an agent needs to serve its sessions.
