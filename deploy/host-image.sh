#!/usr/bin/env bash
# Makes the image that hosts of the `local` driver run: Debian 13 with systemd, sshd and its own Docker Engine.
#
#     deploy/host-image.sh [TAG]        default skep/host:debian-13
#
# Made with mmdebstrap from the Debian mirror that apt already uses, so no image registry is needed. The digest of
# everything that goes in is kept as a label of the image: as long as it is the same, nothing is done.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TAG=${1:-skep/host:debian-13}
SUITE=trixie
FILES=$SKEP_REPO/deploy/host-image
PACKAGES=systemd,systemd-sysv,dbus,openssh-server,iptables,iproute2,ca-certificates,curl,sudo,docker.io,docker-cli
LABEL=skep-image-inputs

# The first mirror of apt's own sources that serves Debian itself; lists of other publishers may stand beside it.
debian_mirror() {
    local format='$(REPO_URI) $(ORIGIN) $(LABEL)'
    apt-get indextargets --format "$format" 'Created-By: Packages' | awk '$2 == "Debian" && $3 == "Debian" {print $1; exit}'
}

# Of the files, not of the packages: a newer package of the same name does not make another image by itself.
inputs_digest() {
    (cd "$SKEP_REPO/deploy" && sha256sum host-image.sh host-image/* && dpkg --print-architecture) | sha256sum | cut -c1-16
}

image_digest() { docker image inspect -f "{{index .Config.Labels \"$LABEL\"}}" "$TAG" 2>/dev/null || true; }

bootstrap() {
    local mirror tar=$1
    mirror=$(debian_mirror)
    if [[ -z $mirror ]]; then
        apt-get -qq update >&2
        mirror=$(debian_mirror)
    fi
    [[ -n $mirror ]] || die "apt knows no Debian mirror; add one to /etc/apt/sources.list.d"
    mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
        --customize-hook="copy-in $FILES/skep-user-data.service $FILES/skep-ssh-keys.service /etc/systemd/system" \
        --customize-hook="upload $FILES/customize.sh /customize.sh" \
        --customize-hook='chroot "$1" sh /customize.sh && rm "$1/customize.sh"' \
        "$SUITE" "$tar" "$mirror"
}

make_image() {
    local digest scratch
    digest=$(inputs_digest)
    [[ $(image_digest) == "$digest" ]] && return 0
    ensure_packages mmdebstrap debian-archive-keyring
    say "making $TAG (about a minute)"
    scratch=$(mktemp -d "$SKEP_CACHE/host-image.XXXXXX")
    # Expanded now: the variable is gone by the time the trap runs.
    trap "rm -rf '$scratch'" EXIT
    bootstrap "$scratch/host.tar"
    docker import --change "LABEL $LABEL=$digest" "$scratch/host.tar" "$TAG" >/dev/null
    say "made $TAG"
}

prepare_image() {
    ensure_docker
    make_image
}

with_lock prepare_image
