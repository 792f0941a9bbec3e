#!/bin/bash
# Hardening that holds for every machine made from the image. Runs as an unprivileged user with sudo.
set -euo pipefail

# SSH: keys only, nobody as root, idle sessions end.
sudo tee /etc/ssh/sshd_config.d/10-hardening.conf >/dev/null <<'EOF'
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin no
X11Forwarding no
MaxAuthTries 4
ClientAliveInterval 300
ClientAliveCountMax 2
EOF
sudo sshd -t

# Security updates install themselves; reboots are left to whoever runs the machine.
sudo tee /etc/apt/apt.conf.d/20auto-upgrades >/dev/null <<'EOF'
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
EOF

# Modules that no server needs.
for module in cramfs freevxfs hfs hfsplus jffs2 udf dccp rds sctp tipc; do
  echo "install ${module} /bin/false"
done | sudo tee /etc/modprobe.d/hardening.conf >/dev/null

# New files are not for everybody to read.
sudo sed -i 's/^UMASK.*/UMASK 027/' /etc/login.defs

echo "hardening: done"
