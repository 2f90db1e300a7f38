#!/usr/bin/env bash
# Measures: builds release programs, runs one benchmark, and prints a JSON object for each figure on standard output:
#
#     {"bench":"bulk","figure":"ready_s","unit":"s","value":12.9}
#
#     tests/bench.sh bulk [--hosts 1000] [--skip-agent] …     tests/bench.sh bulk --help says more
#
#       ssh       machines that are there already, adopted over SSH: from the request to every agent's enrolment
#       ec2       a thousand instances of an emulated EC2: from the request until each host has its own; nothing boots
#       bulk      many simulated hosts from one request, on three coordinators; and what one idle agent needs
#
# Everything else goes to standard error. Whatever it starts has ended when it ends, also by Ctrl-C.

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/lib.sh"

(($#)) || die "usage: tests/bench.sh NAME [options]; there are: bulk, ec2, ssh"

cd "$SKEP_REPO"

build() {
    with_lock ensure_build_packages
    say "building release programs"
    # The SDK of EC2 takes minutes to build: only for those who want it.
    local driver=()
    [[ $1 != ec2 ]] || driver=(-p skep-driver-amazonec2)
    cargo build --quiet --locked --release -p skep-coordinator -p skep -p skep-sim -p skep-tests "${driver[@]}" --bins
    export SKEP_BIN_DIR=$CARGO_TARGET_DIR/release
    build_agent
}

# --- What a benchmark that was cut off leaves behind ------------------------------------------------------------------

SCRATCH=$(mktemp -d)
# Clusters whose hosts are on the engine, one a line.
export SKEP_TEST_CLUSTERS=$SCRATCH/clusters
BENCH=

clean_up() {
    local status=$?
    trap - EXIT INT TERM
    end_processes
    if [[ -s $SKEP_TEST_CLUSTERS ]]; then
        while read -r cluster; do remove_cluster "$cluster"; done <"$SKEP_TEST_CLUSTERS"
    fi
    if docker_answers; then docker ps -aq --filter label=skep-tests=ssh | xargs -r docker rm -fv >/dev/null; fi
    rm -rf "$SCRATCH"
    exit "$status"
}

# The program has a process group of its own: with it go the coordinators and simulations it has started.
end_processes() {
    [[ -n $BENCH ]] && kill -KILL -- "-$BENCH" 2>/dev/null || return 0
    wait_until 10 "the benchmark's processes have ended" group_is_gone || die "processes of group $BENCH do not end"
}

group_is_gone() { ! kill -0 -- "-$BENCH" 2>/dev/null; }

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --help starts nothing; everything else may make hosts.
if [[ " $* " != *" --help "* ]]; then
    with_lock ensure_docker
    if [[ $1 == ec2 ]]; then with_lock ensure_moto && export SKEP_CACHE; fi
    [[ " $* " == *" --skip-agent "* ]] || deploy/host-image.sh >&2
fi
build "$1"
raise_open_files
TMPDIR=$SCRATCH setsid "$SKEP_BIN_DIR/skep-bench" "$@" &
BENCH=$!
wait "$BENCH"
