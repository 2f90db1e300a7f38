# Makes this machine a host, any number of times for the same one. Runs as root.
# stdin: the marker and the bootstrap script, a line of base64 each; "agent" or "keep"; then the agent's bytes, if any.
umask 077
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
etc=/etc/skep
agent=/usr/local/bin/skep-agent
read -r marker && read -r script && read -r brings || exit 2

# With what is left of the fullest place that is written to. Nothing of ours is written twice as large as this.
give_up() {
    full=$(for place in /usr/local/bin "$etc" /var/lib/skep; do
        folder=$place
        while [ ! -d "$folder" ]; do folder=${folder%/*}; [ -n "$folder" ] || folder=/; done
        df -Pk "$folder" 2>/dev/null | while read -r _ _ _ free _; do
            case $free in *[!0-9]*) ;; *) echo "$free $place" ;; esac
        done
    done | sort -n | sed -n 1p)
    echo "skep:free_kib=$full"
    rm -f "$agent.laid" "$etc/claim.$$" "$etc/bootstrap"
    free=${full%% *}
    [ "${free:-0}" -lt 1024 ] && exit 42
    exit "$1"
}

broken() {
    echo "cannot write $1" >&2
    give_up 1
}

# One at a time: a repeated call may meet the one before it. The folder is there already, and the lock goes with us.
exec 9</etc && flock -w 60 9 || exit 1

if [ ! -e "$etc/adopted" ]; then
    # What an agent of another kind of host leaves.
    [ ! -e "$etc/agent.toml" ] || exit 43
    # For the way back: which folders were here before.
    found=
    for folder in "$etc" /var/lib/skep; do [ ! -d "$folder" ] || found="$found $folder"; done
    mkdir -p "$etc" || broken "$etc"
    [ -e "$etc/found" ] || echo "$found" >"$etc/found" || broken "$etc/found"
fi

# A link is made whole or not at all, and by one only. The same host may call its machine otherwise than before.
whose() { grep -v '^place=' "$1"; }
printf %s "$marker" | base64 -d >"$etc/claim.$$" || broken "$etc/claim"
ln "$etc/claim.$$" "$etc/adopted" 2>/dev/null || [ -e "$etc/adopted" ] || broken "$etc/adopted"
echo "skep:marker=$(base64 <"$etc/adopted" | tr -d '\n')"
[ "$(whose "$etc/claim.$$")" = "$(whose "$etc/adopted")" ] || { rm -f "$etc/claim.$$"; exit 41; }
rm -f "$etc/claim.$$"

(umask 022 && mkdir -p /usr/local/bin) || broken /usr/local/bin
if [ "$brings" = agent ]; then
    cat >"$agent.laid" || broken "$agent.laid"
fi
printf %s "$script" | base64 -d >"$etc/bootstrap" || broken "$etc/bootstrap"
sh "$etc/bootstrap" </dev/null 9<&-
status=$?
[ "$status" -eq 0 ] || give_up "$status"
rm -f "$etc/bootstrap" "$agent.laid"
