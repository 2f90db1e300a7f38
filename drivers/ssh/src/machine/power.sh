# Reboots this machine, or turns it off. Runs as root.
# stdin: cluster, host and incarnation, as they stand in the marker, a line each; then "reboot" or "poweroff".
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
read -r cluster && read -r host && read -r incarnation && read -r action || exit 2
for line in "$cluster" "$host" "$incarnation"; do
    if ! grep -qxF -e "$line" /etc/skep/adopted; then
        [ ! -e /etc/skep/adopted ] || echo "skep:marker=$(base64 </etc/skep/adopted | tr -d '\n')"
        exit 41
    fi
done
case $action in reboot | poweroff) ;; *) exit 2 ;; esac
# The job is queued when this returns; the connection may end before the status is told.
echo skep:begun=yes
systemctl --no-block "$action"
