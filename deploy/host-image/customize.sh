# Run once inside the new root file system, before it becomes an image.

set -eu

systemctl --quiet enable docker.service ssh.service skep-user-data.service skep-ssh-keys.service

# What cannot work in a container, waits for what never comes, or wakes many hosts at the same minute.
systemctl --quiet mask \
    systemd-modules-load.service systemd-firstboot.service systemd-networkd-wait-online.service \
    systemd-udevd.service systemd-udev-trigger.service systemd-pstore.service \
    console-getty.service getty.target getty-static.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer

# Each host makes its own: an empty machine-id is filled at boot.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub

# A host's own engine would give its bridges the addresses of the machine's (172.17.0.1 and the like), and the host
# could reach nothing there, coordinators included. Clusters' networks are in 10.208.0.0/12; swarms count up from 10.0.0.0.
install -d /etc/docker
cat >/etc/docker/daemon.json <<'JSON'
{ "default-address-pools": [{ "base": "10.192.0.0/12", "size": 20 }] }
JSON

install -d -m 0700 /var/lib/skep
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
