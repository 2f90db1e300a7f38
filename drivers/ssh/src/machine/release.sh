# Takes the agent away and leaves this machine as it was found. Runs as root, any number of times.
# stdin: the cluster, the host and its incarnation, as they stand in the marker, a line each.
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
etc=/etc/skep
units=/etc/systemd/system
read -r cluster && read -r host && read -r incarnation || exit 2

exec 9</etc && flock -w 60 9 || exit 1
# Released already, or never ours.
[ -e "$etc/adopted" ] || { echo skep:released=before; exit 0; }
for line in "$cluster" "$host" "$incarnation"; do
    if ! grep -qxF -e "$line" "$etc/adopted"; then
        echo "skep:marker=$(base64 <"$etc/adopted" | tr -d '\n')"
        exit 41
    fi
done

for unit in skep-agent.service skep-agent-proxy.service; do
    if [ -e "$units/$unit" ]; then
        systemctl --quiet disable --now "$unit" || exit 1
    fi
    rm -f "$units/$unit" || exit 1
done
systemctl daemon-reload || exit 1
# Fails where nothing had failed.
systemctl --quiet reset-failed skep-agent.service skep-agent-proxy.service 2>/dev/null

rm -f /usr/local/bin/skep-agent /usr/local/bin/skep-agent.new /usr/local/bin/skep-agent.laid || exit 1
found=" $(cat "$etc/found" 2>/dev/null) "
for folder in /var/lib/skep "$etc"; do
    [ -d "$folder" ] || continue
    # The marker last: until it is gone, all this is done again.
    find "$folder" -mindepth 1 -depth ! -path "$etc/adopted" ! -path "$etc/found" -delete || exit 1
done
case $found in *" /var/lib/skep "*) ;; *) [ ! -d /var/lib/skep ] || rmdir /var/lib/skep || exit 1 ;; esac
rm -f "$etc/adopted" "$etc/found" || exit 1
case $found in *" $etc "*) ;; *) rmdir "$etc" || exit 1 ;; esac
echo skep:released=now
