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
systemctl --no-block "$action" || exit 1
# Ends with the machine, so that whoever asked sees it go down.
sleep 30
