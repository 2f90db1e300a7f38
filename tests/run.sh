#!/usr/bin/env bash
# Installs what the tests need, and runs them.
#
#     tests/run.sh              everything, in the order below
#     tests/run.sh NAME…        some parts:
#
#       install   packages, Docker Engine, host image, cargo tools
#       fmt       formatting
#       clippy    lints of every target, warnings are errors
#       deny      licences, bans and sources of dependencies
#       docs      the API documentation builds without warnings
#       unit      unit, property and conformance tests (the local driver's on real hosts)
#       cluster   coordinators, agents and simulated hosts in one process
#       e2e       coordinators and agents as programs, on real hosts
#
# Parts install what they need themselves. Ends with what each part of the tests counted.

source "$(dirname "${BASH_SOURCE[0]}")/../deploy/lib.sh"

PARTS=(install fmt clippy deny docs unit cluster e2e)
CARGO_DENY=0.20.2
CARGO_NEXTEST=0.9.143

cd "$SKEP_REPO"

# --- What parts need ------------------------------------------------------------------------------------------------

need_nextest() {
    with_lock ensure_build_packages
    with_lock ensure_cargo_tool cargo-nextest "$CARGO_NEXTEST"
    raise_open_files
}

need_deny() {
    with_lock ensure_build_packages
    with_lock ensure_cargo_tool cargo-deny "$CARGO_DENY"
}

need_hosts() {
    with_lock ensure_docker
    # The service that end-to-end tests deploy is one static program.
    with_lock ensure_packages busybox-static openssh-client
    deploy/host-image.sh
}

# The example driver: tests try it with every rule.
need_python() {
    with_lock ensure_packages python3 python3-venv
    with_lock ensure_python_driver
    export SKEP_PYTHON_DRIVER=$SKEP_CACHE/python-driver/skep-driver-simcloud
}

# A plugin that tests drive is written in Go.
need_go() { with_lock ensure_packages golang-go; }

# The emulated EC2: a Python program in a folder of its own.
need_moto() { with_lock ensure_moto; }

# --- Parts ----------------------------------------------------------------------------------------------------------

part_install() {
    need_deny
    need_nextest
    need_hosts
    need_go
    need_moto
    need_python
}

part_fmt() { cargo fmt --all --check; }

part_clippy() {
    with_lock ensure_build_packages
    cargo clippy --locked --workspace --all-targets -- -D warnings
}

part_deny() {
    need_deny
    # Advisories are not checked: their database cannot be had everywhere. Duplicates are only worth a look.
    cargo deny --locked --log-level error check bans licenses sources
}

part_docs() {
    with_lock ensure_build_packages
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --workspace
}

part_unit() {
    need_nextest
    need_hosts
    need_go
    need_moto
    export SKEP_CACHE
    cargo nextest run --locked --workspace --exclude skep-tests
}

part_cluster() {
    need_nextest
    cargo nextest run --locked -p skep-tests -E 'not binary(/^e2e/)'
}

part_e2e() {
    need_nextest
    need_hosts
    need_python
    need_go
    need_moto
    export SKEP_CACHE
    build_binaries
    cargo nextest run --locked -p skep-tests -E 'binary(/^e2e/)'
}

# --- What tests leave behind ----------------------------------------------------------------------------------------

# Tests that make real hosts append their clusters' ids, or what these begin with, to this file, one a line, before
# they make the first. What a test that was cut off left on the engine is found by it.
SKEP_TEST_CLUSTERS=$(mktemp)
export SKEP_TEST_CLUSTERS

remove_leftovers() {
    local prefix cluster
    while read -r prefix; do
        [[ -n $prefix ]] || continue
        for cluster in $(clusters_on_engine); do
            [[ $cluster == "$prefix"* ]] && remove_cluster "$cluster"
        done
    done <"$SKEP_TEST_CLUSTERS"
    docker ps -aq --filter label=skep-tests | xargs -r docker rm -fv >/dev/null
    docker network ls -q --filter label=skep-tests | xargs -r docker network rm >/dev/null
}

clean_up() {
    local status=$?
    if docker_answers; then remove_leftovers || say "could not remove what the tests left on the engine"; fi
    rm -f "$SKEP_TEST_CLUSTERS"
    exit "$status"
}
trap clean_up EXIT

run_part() {
    local started=$SECONDS
    declare -F "part_$1" >/dev/null || die "there is no part $1; there are ${PARTS[*]}"
    say "$1"
    "part_$1"
    PART_TIMES+=("$1 $((SECONDS - started)) s")
}

PART_TIMES=()
for part in "${@:-${PARTS[@]}}"; do run_part "$part"; done
printf -v times ', %s' "${PART_TIMES[@]}"
say "passed: ${times:2}"
