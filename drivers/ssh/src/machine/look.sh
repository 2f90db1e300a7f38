# What this machine is, and whether it can be a host. Changes nothing.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
say() { echo "skep:$1"; }
say "address=$(set -- $1; echo "$3")"
say "machine=$(uname -m)"
[ -d /run/systemd/system ] && say init=systemd
for program in base64 cmp cut df find flock grep sed sha256sum systemctl; do
    command -v "$program" >/dev/null 2>&1 || say "missing=$program"
done
# Of what is not there yet, where it will be.
for place in /usr/local/bin /etc/skep /var/lib/skep; do
    folder=$place
    while [ ! -d "$folder" ]; do folder=${folder%/*}; [ -n "$folder" ] || folder=/; done
    df -Pk "$folder" 2>/dev/null | while read -r _ _ _ free _; do say "free_kib=$free $place"; done
done
if [ -f /usr/local/bin/skep-agent ]; then
    say "agent=$(sha256sum </usr/local/bin/skep-agent 2>/dev/null | cut -d ' ' -f 1)"
fi
if [ "$(id -u)" -eq 0 ]; then
    say sudo=root
elif ! command -v sudo >/dev/null 2>&1; then
    say sudo=absent
elif sudo -k -n true >/dev/null 2>&1; then
    say sudo=free
else
    say sudo=asks
fi
say end=yes
