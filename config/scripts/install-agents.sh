#!/bin/bash
# What every server carries: audit trail, time synchronisation, and the tools that operations asks for.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

sudo -E apt-get install -y --no-install-recommends auditd chrony jq sysstat

# Azure hosts keep exact time; chrony takes it from there.
sudo tee /etc/chrony/conf.d/azure.conf >/dev/null <<'EOF'
refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0
EOF

sudo tee /etc/audit/rules.d/50-image.rules >/dev/null <<'EOF'
-w /etc/passwd -p wa -k identity
-w /etc/shadow -p wa -k identity
-w /etc/sudoers -p wa -k privilege
-w /etc/sudoers.d/ -p wa -k privilege
EOF

sudo systemctl enable auditd chrony sysstat
echo "agents: done"
