#!/bin/sh
# Makes this instance a skep host: agent, configuration, units. Runs as root, any number of times.
# What differs from host to host stands below the last command, one "#skep KEY BASE64" a line.
set -eu
umask 077

# Another root than / is for tests only.
root=${SKEP_BOOTSTRAP_ROOT:-}
agent=$root/usr/local/bin/skep-agent
config=$root/etc/skep/agent.toml
evidence=$root/etc/skep/evidence
units=$root/etc/systemd/system
changed=no
verified=no

fail() {
    echo "skep bootstrap: $1" >&2
    exit 1
}

keys() {
    sed -n "s|^#skep \($1[a-z0-9.-]*\) .*|\1|p" "$0"
}

payload() {
    sed -n "s|^#skep $1 ||p" "$0" | base64 -d
}

# Payload $1 becomes file $2 with mode $3, whole or not at all.
place() {
    payload "$1" >"$2.new" || fail "cannot write $2"
    if cmp -s "$2.new" "$2"; then
        rm -f "$2.new"
    else
        chmod "$3" "$2.new"
        mv -f "$2.new" "$2"
        changed=yes
    fi
}

digest() {
    sha256sum <"$1" | cut -d ' ' -f 1
}

# The certificate is not checked: the digest below is what is trusted.
download() {
    sed -n 's|^#skep url ||p' "$0" | while IFS= read -r line; do
        url=$(printf %s "$line" | base64 -d)
        if curl --fail --silent --show-error --insecure --globoff --proto =https \
            --connect-timeout 5 --max-time 120 --max-filesize 67108864 \
            --output "$agent.new" --url "$url" && [ "$(digest "$agent.new")" = "$wanted" ]; then
            chmod 755 "$agent.new"
            mv -f "$agent.new" "$agent"
            break
        fi
        echo "skep bootstrap: no usable agent from $url" >&2
    done
    rm -f "$agent.new"
}

# What was brought by the connection this script came over. Only the wanted digest goes in place.
take_laid() {
    if [ "$(digest "$agent.laid")" = "$wanted" ]; then
        chmod 755 "$agent.laid"
        mv -f "$agent.laid" "$agent"
        changed=yes
        verified=yes
    else
        rm -f "$agent.laid"
    fi
}

# What this instance can prove itself with, where its driver knows how; nothing is left from another one, as an image
# of it would bring. At most the 16 KiB that coordinators take.
gather() {
    rm -f "$evidence"
    [ -n "$(keys gather)" ] || return 0
    sh -c "$(payload gather)" | head -c 16384 >"$evidence.new" || fail "cannot write $evidence"
    if [ -s "$evidence.new" ]; then
        mv -f "$evidence.new" "$evidence"
    else
        rm -f "$evidence.new"
        echo "skep bootstrap: this instance has nothing to prove itself with" >&2
    fi
}

# The digest of several megabytes takes its time: it is not computed twice.
have_agent() {
    [ "$verified" = yes ] || { [ -f "$agent" ] && [ "$(digest "$agent")" = "$wanted" ]; }
}

wanted=$(payload sha256)
(umask 022 && mkdir -p "$root/usr/local/bin" "$units" && mkdir -p "$root/etc")
mkdir -p "$root/etc/skep"

if [ -f "$agent.laid" ]; then
    take_laid
fi
[ -n "$(keys url)" ] || have_agent || fail "the agent that was laid here does not have the wanted digest"

# A fresh instance may have no network yet. Five minutes, then the host fails at its boot deadline with this output.
round=0
until have_agent; do
    [ "$round" -lt 60 ] || fail "no coordinator had an agent with the wanted digest"
    [ "$round" -eq 0 ] || sleep 5
    round=$((round + 1))
    changed=yes
    download
done

gather
place config "$config" 600
for key in $(keys unit.); do
    place "$key" "$units/${key#unit.}" 644
done

# Reads the units anew, too: a reload of its own would take as long again as all the rest of this script.
systemctl enable $(payload enable)
if [ "$changed" = yes ]; then
    systemctl try-restart skep-agent.service
fi
systemctl start $(payload enable)
exit 0
