# Shell functions that the scripts of deploy/ and tests/ share. Sourced, never run.
#
# Everything here may be called again at any time: it looks first and does only what is missing. It expects root on a
# Debian machine with apt and a Rust toolchain, and nothing else: no init system, no Docker, no image registry.

set -euo pipefail

SKEP_REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SKEP_CACHE=${SKEP_CACHE:-$HOME/.cache/skep}
# Outside the checkout, so that a fresh clone saves most of a build.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${SKEP_TARGET_DIR:-$SKEP_CACHE/target}}
export PATH=$SKEP_CACHE/tools/bin:$PATH

say() { printf '%s\n' "--- $*" >&2; }

die() {
    printf '%s\n' "error: $*" >&2
    exit 1
}

# wait_until SECONDS WHAT COMMAND…: runs COMMAND until it succeeds, at most SECONDS long.
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
    say "$what"
}

# Two scripts at once would fight over dpkg's lock, the daemon and the image: the second waits for the first.
with_lock() {
    mkdir -p "$SKEP_CACHE"
    (
        flock -w 1800 9 || die "another skep script has held $SKEP_CACHE/setup.lock for half an hour"
        "$@"
    ) 9>"$SKEP_CACHE/setup.lock"
}

package_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# ensure_packages NAME…: installs those that are missing.
ensure_packages() {
    local missing=() name
    for name in "$@"; do
        package_installed "$name" || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    [[ $(id -u) == 0 ]] || die "installing ${missing[*]} needs root"
    say "installing ${missing[*]}"
    # Lists older than this run may name files the mirror no longer has.
    if [[ -z ${SKEP_APT_UPDATED:-} ]]; then
        apt-get -qq update 9>&- >&2
        export SKEP_APT_UPDATED=1
    fi
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" 9>&- >&2
}

# --- Docker Engine -----------------------------------------------------------------------------------------------

docker_answers() { docker info >/dev/null 2>&1; }

# A running engine is used as it is; otherwise Debian's is installed and started.
ensure_docker() {
    raise_inotify_limits
    command -v docker >/dev/null && docker_answers && return 0
    command -v dockerd >/dev/null || ensure_packages docker.io
    # Debian 13 and later keep the client in a package of its own; before that it is part of docker.io.
    command -v docker >/dev/null || ensure_packages docker-cli
    start_docker
}

start_docker() {
    if [[ -d /run/systemd/system ]]; then
        systemctl start docker
    else
        start_dockerd_by_hand
    fi
    wait_until 60 "the Docker Engine answers" docker_answers ||
        die "the Docker Engine does not answer; see $SKEP_CACHE/dockerd.log"
}

start_dockerd_by_hand() {
    local pidfile=/var/run/docker.pid daemon
    # Debian's stands in /usr/sbin, Docker's own in /usr/bin.
    daemon=$(PATH=$PATH:/usr/sbin:/usr/bin command -v dockerd) || die "there is no dockerd"
    # After a hard stop of the machine the file names a process that is long gone, or another one.
    if [[ -f $pidfile ]] && ! grep -qsx dockerd "/proc/$(<"$pidfile")/comm"; then
        rm -f "$pidfile"
    fi
    [[ -f $pidfile ]] && return 0
    say "starting $daemon, log in $SKEP_CACHE/dockerd.log"
    setsid "$daemon" --pidfile "$pidfile" </dev/null >"$SKEP_CACHE/dockerd.log" 2>&1 9>&- &
    echo $! >"$SKEP_CACHE/dockerd.pid"
    # Not a job of this shell: the engine outlives the script.
    disown
}

# Ends the engine that start_dockerd_by_hand started, and no other.
stop_docker_of_ours() {
    local pid
    [[ -f $SKEP_CACHE/dockerd.pid ]] || return 0
    pid=$(<"$SKEP_CACHE/dockerd.pid")
    rm -f "$SKEP_CACHE/dockerd.pid"
    grep -qsx dockerd "/proc/$pid/comm" || return 0
    kill "$pid"
    wait_until 30 "the Docker Engine has ended" test ! -e "/proc/$pid" || die "dockerd ($pid) does not end"
}

# Each host runs its own systemd and engine: past about 23 hosts boots hang at the kernel's default of 128 instances.
raise_inotify_limits() {
    raise_to /proc/sys/fs/inotify/max_user_instances 16384
    raise_to /proc/sys/fs/inotify/max_user_watches 1048576
}

raise_to() {
    (($(<"$1") >= $2)) || echo "$2" >"$1" || say "could not raise $1 to $2; many hosts may not boot"
}

# Each session, log file and connection takes one: a thousand simulated hosts need more than the usual 1,024.
raise_open_files() { ulimit -n "$(ulimit -Hn)" || say "could not raise the number of open files"; }

# --- Building ----------------------------------------------------------------------------------------------------

# ensure_cargo_tool NAME VERSION: builds it from crates.io into the cache, where it is missing altogether.
ensure_cargo_tool() {
    command -v "$1" >/dev/null && return 0
    say "building $1 $2"
    cargo install --quiet --locked --root "$SKEP_CACHE/tools" --version "$2" "$1" 9>&-
}

# What compiling needs beside the Rust toolchain: a linker and a C compiler, for aws-lc; curl and ip for the scripts.
ensure_build_packages() { ensure_packages gcc libc6-dev ca-certificates curl iproute2; }

# build_binaries [BINARY…]: the programs (default: all) in the dev profile, and the static agent.
# Sets SKEP_BIN_DIR and SKEP_AGENT_BINARY.
build_binaries() {
    local packages=() name
    (($#)) || set -- skepd skep skep-sim skep-driver-machine skep-driver-amazonec2
    for name in "$@"; do
        case $name in
        skepd) packages+=(-p skep-coordinator) ;;
        *) packages+=(-p "$name") ;;
        esac
    done
    say "building $*"
    (cd "$SKEP_REPO" && cargo build --quiet --locked "${packages[@]}" --bins)
    export SKEP_BIN_DIR=$CARGO_TARGET_DIR/debug
    build_agent
}

build_agent() {
    say "building the static agent"
    SKEP_AGENT_BINARY=$("$SKEP_REPO/agent/build-static.sh" | tail -n 1)
    [[ -x $SKEP_AGENT_BINARY ]] || die "agent/build-static.sh named no program: $SKEP_AGENT_BINARY"
    export SKEP_AGENT_BINARY
}

# The example driver in Python, ready to run, in the cache.
ensure_python_driver() {
    "$SKEP_REPO/deploy/examples/python-driver/setup.sh" "$SKEP_CACHE/python-driver" >/dev/null 9>&-
}

# The emulated EC2 of tests, in the cache: a Python program in a folder of its own.
MOTO=5.2.5

ensure_moto() {
    local folder=$SKEP_CACHE/moto
    [[ -f $folder/skep-version && $(<"$folder/skep-version") == "$MOTO" ]] && return 0
    ensure_packages python3-venv
    say "installing moto $MOTO"
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "moto[ec2,server]==$MOTO" >&2
    echo "$MOTO" >"$folder/skep-version"
}

# --- What a cluster has on the engine ------------------------------------------------------------------------------

# Ids of all clusters that have something on the engine.
clusters_on_engine() {
    local format='{{.Label "skep-cluster"}}'
    {
        docker ps -a --filter label=skep-cluster --format "$format"
        docker volume ls --filter label=skep-cluster --format "$format"
        docker network ls --filter label=skep-cluster --format "$format"
    } | sort -u
}

# remove_cluster ID: its containers, volumes and network, whatever state they are in.
remove_cluster() {
    local filter=label=skep-cluster=$1
    docker ps -aq --filter "$filter" | xargs -r docker rm -fv >/dev/null
    docker volume ls -q --filter "$filter" | xargs -r docker volume rm -f >/dev/null
    docker network ls -q --filter "$filter" | xargs -r docker network rm >/dev/null
}

# The machine's address on the default bridge: hosts on every network of the engine reach the machine there, and it
# is known before any cluster has a network. The engine itself tells it only once the bridge is in use.
bridge_address() {
    local bridge
    bridge=$(docker network inspect bridge -f '{{index .Options "com.docker.network.bridge.name"}}')
    ip -4 -o address show dev "$bridge" | awk '{sub("/.*", "", $4); print $4; exit}'
}
