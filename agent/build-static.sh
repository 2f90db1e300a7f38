#!/bin/sh
# Builds the static skep-agent for this machine's architecture and prints the path of the binary, alone, on stdout.
#
# glibc is linked in, on the gnu target that every Rust toolchain has; naming the target keeps build scripts and
# procedural macros dynamic, as they must be. Names are resolved without libc (src/resolve.rs).
# CARGO_TARGET_DIR is honoured; cargo's own messages go to stderr.
set -eu

cd "$(dirname "$0")/.."
target="$(uname -m)-unknown-linux-gnu"
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
    cargo build --locked --quiet --profile agent --target "$target" --package skep-agent --bin skep-agent >&2
echo "${CARGO_TARGET_DIR:-$PWD/target}/$target/agent/skep-agent"
