#!/usr/bin/env bash
# A highly available skep and a swarm of five real Docker hosts, on this machine.
#
#     deploy/quickstart.sh          three coordinators, the swarm `demo`, a service on it
#     deploy/quickstart.sh down     removes every host, volume, network, process and folder of it
#
# Needs root, Debian's apt and a Rust toolchain; everything else it installs. Run again, it changes nothing that is
# there already. What it keeps stands in one folder, $SKEP_HOME.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SKEP_HOME=${SKEP_HOME:-$HOME/.local/share/skep/quickstart}
COORDINATORS=3
SWARM=demo
MANAGERS=3
WORKERS=2
SERVICE=hello
# Coordinator N listens on PORT + N for people and agents, and on RAFT_PORT + N for the other coordinators.
PORT=${SKEP_PORT:-7440}
RAFT_PORT=${SKEP_RAFT_PORT:-7450}

# --- The programs, and how they are called: the one place that knows their flags ------------------------------------

api_address() { echo "$ADDRESS:$((PORT + $1))"; }
raft_address() { echo "$ADDRESS:$((RAFT_PORT + $1))"; }
data() { echo "$SKEP_HOME/c$1"; }

addresses() {
    printf '%s\n' --listen "0.0.0.0:$((PORT + $1))" --advertise "$(api_address "$1")" \
        --raft-listen "0.0.0.0:$((RAFT_PORT + $1))" --raft-advertise "$(raft_address "$1")"
}

CONFIG=$SKEP_HOME/operator/config.toml

skep() { SKEP_CONFIG=$CONFIG "$SKEP_BIN_DIR/skep" "$@"; }
skepd_init() { SKEP_LOG=warn,openraft=error "$SKEP_BIN_DIR/skepd" init --data "$(data 1)" $(addresses 1) --operator-config "$CONFIG"; }
# The token is a secret: it travels in a file, not among the arguments that every user of the machine sees.
skepd_join() {
    SKEP_LOG=warn,openraft=error "$SKEP_BIN_DIR/skepd" join --data "$(data "$1")" $(addresses "$1") \
        --peer "$(api_address 1)" --token-file "$2"
}
# A lease and calls shorter than the defaults, which are made for clouds: when a coordinator is killed, another one goes
# on with its driver calls after both together.
skepd_run() {
    exec setsid "$SKEP_BIN_DIR/skepd" run --data "$(data "$1")" --agent-binary "$SKEP_AGENT_BINARY" \
        --owner-lease 5 --driver-call 15
}

is_ready() { curl --silent --fail --insecure --max-time 2 "https://$(api_address "$1")/readyz"; }
cluster_id() { sed -n 's/^cluster = "\(.*\)"$/\1/p' "$CONFIG"; }
host_names() { skep ls --filter "swarm=$SWARM" -q; }

# --- Up ---------------------------------------------------------------------------------------------------------------

prepare() {
    with_lock ensure_build_packages
    with_lock ensure_docker
    # The service's program: nothing has to be pulled from a registry.
    with_lock ensure_packages busybox-static
    "$SKEP_REPO/deploy/host-image.sh"
    build_binaries skepd skep
    ADDRESS=$(bridge_address)
    [[ -n $ADDRESS ]] || die "the engine's default bridge has no IPv4 address"
    install -d -m 0700 "$SKEP_HOME"
}

# A folder is made whole under another name first: a run that was cut off leaves none half made.
made() { [[ -e $(data "$1")/.made ]]; }

start_coordinators() {
    local n
    for ((n = 1; n <= COORDINATORS; n++)); do
        made "$n" || make_coordinator "$n"
        is_running "$n" || start_coordinator "$n"
        wait_until 30 "coordinator $n is ready at $(api_address "$n")" is_ready "$n" ||
            die "coordinator $n is not ready; see $SKEP_HOME/c$n.log"
    done
    name_all_coordinators
}

# `skepd init` knows of one; with the others named, `skep` goes on when that one is killed.
name_all_coordinators() {
    local n all=()
    for ((n = 1; n <= COORDINATORS; n++)); do all+=("\"$(api_address "$n")\""); done
    sed -i "s/^coordinators = .*/coordinators = [$(IFS=,; echo "${all[*]}")]/" "$CONFIG"
}

make_coordinator() {
    rm -rf "$(data "$1")"
    if (($1 == 1)); then
        skepd_init
    else
        (umask 077 && skep cluster token >"$SKEP_HOME/token")
        skepd_join "$1" "$SKEP_HOME/token"
        rm "$SKEP_HOME/token"
    fi
    touch "$(data "$1")/.made"
}

is_running() { grep -qsx skepd "/proc/$(cat "$SKEP_HOME/c$1.pid" 2>/dev/null || echo none)/comm"; }

start_coordinator() {
    raise_open_files
    (skepd_run "$1") </dev/null >>"$SKEP_HOME/c$1.log" 2>&1 &
    echo $! >"$SKEP_HOME/c$1.pid"
    disown
}

create_swarm() {
    # An earlier run may have been cut off while it waited: the swarm is made all the same.
    if skep swarm inspect "$SWARM" >/dev/null 2>&1; then
        wait_until 300 "the swarm $SWARM is ready" swarm_is_ready || die "the swarm $SWARM is not ready; see skep ls"
        return 0
    fi
    say "creating the swarm $SWARM: $MANAGERS managers and $WORKERS workers"
    skep swarm create "$SWARM" --managers "$MANAGERS" --workers "$WORKERS" --driver local
}

swarm_is_ready() { skep swarm inspect "$SWARM" | grep -q '"state": "Ready"'; }

# Plain docker, pointed at one host (or at a manager of the swarm) by `skep env`.
docker_at() {
    local where=$1 environment
    shift
    # Without it docker would talk to the machine's own engine.
    environment=$(skep env $where) || die "skep env $where failed"
    (eval "$environment" && docker "$@")
}

deploy_service() {
    local image host
    docker_at "--swarm $SWARM" service inspect "$SERVICE" >/dev/null 2>&1 && return 0
    say "deploying the service $SERVICE"
    image=$(mktemp -d)
    cp "$(command -v busybox)" "$image/busybox"
    for host in $(host_names); do
        tar -C "$image" -c busybox | docker_at "$host" import - skep/hello:1 >/dev/null
    done
    rm -r "$image"
    # No registry is asked for the image, and no virtual address is needed, which not every kernel can balance.
    docker_at "--swarm $SWARM" service create --quiet --name "$SERVICE" --mode global --no-resolve-image \
        --endpoint-mode dnsrr skep/hello:1 /busybox sh -c \
        'trap "exit 0" TERM; echo "hello from $(/busybox hostname)"; while :; do /busybox sleep 1; done' >/dev/null
}

# None while an election is under way: then any of them serves as an example.
leader() { skep cluster status -o json | sed -n 's/.*"leader": "\(c[0-9]*\)".*/\1/p' | grep . || echo c1; }

show() {
    say "docker node ls, asked through skep env --swarm $SWARM"
    docker_at "--swarm $SWARM" node ls
    say "docker service ps $SERVICE"
    docker_at "--swarm $SWARM" service ps "$SERVICE" --format 'table {{.Node}}\t{{.CurrentState}}\t{{.Image}}'
    cat <<TEXT

Try next:
    export SKEP_CONFIG=$CONFIG PATH=$SKEP_BIN_DIR:\$PATH
    skep ls                                   the hosts
    skep cluster status                       the coordinators, and who leads
    kill -9 \$(cat $SKEP_HOME/$(leader).pid)
    skep cluster status                       that one led, now another one does; nothing is lost
    deploy/quickstart.sh                      starts it again
    skep create web                           one more host
    eval "\$(skep env --swarm $SWARM)"; docker node ls
    deploy/quickstart.sh down                 remove everything
TEXT
}

up() {
    prepare
    start_coordinators
    create_swarm
    deploy_service
    show
}

# --- Down -------------------------------------------------------------------------------------------------------------

# Works on whatever is there, however far an earlier run got.
down() {
    local n
    for ((n = 1; n <= COORDINATORS; n++)); do stop_coordinator "$n"; done
    if [[ -s $CONFIG && -n $(cluster_id) ]]; then
        with_lock ensure_docker
        remove_cluster "$(cluster_id)"
    fi
    rm -rf "$SKEP_HOME"
    rmdir --ignore-fail-on-non-empty "$(dirname "$SKEP_HOME")" 2>/dev/null || true
    # Somebody else may have come to use the engine that the quickstart started.
    if docker_answers && [[ -z $(docker ps -q) ]]; then stop_docker_of_ours; fi
    say "everything of the quickstart is gone; the image skep/host and the build in $CARGO_TARGET_DIR stay"
}

# At once: what the coordinators know is about to be removed with them.
stop_coordinator() {
    local pid
    is_running "$1" || return 0
    pid=$(<"$SKEP_HOME/c$1.pid")
    kill -9 "$pid"
    wait_until 10 "coordinator $1 has ended" test ! -e "/proc/$pid" || die "coordinator $1 ($pid) does not end"
}

case ${1:-up} in
up) up ;;
down) down ;;
*) die "usage: deploy/quickstart.sh [down]" ;;
esac
