# Shared by the scripts of this repository; sourced, never run.
#
# A script sets `root` (the repository) and `me` (its name in messages), then
#     . "$root/tools/lib.sh"
# shellcheck shell=sh disable=SC2154  # root and me come from the sourcing script

say() { printf '%s: %s\n' "$me" "$*"; }

die() {
    printf '%s: %s\n' "$me" "$*" >&2
    exit 1
}

usage_error() {
    printf '%s: %s; see %s --help\n' "$me" "$*" "$me" >&2
    exit 2
}

jobs() { echo "${TROUPE_JOBS:-$(nproc 2>/dev/null || echo 2)}"; }

# Seconds since the epoch with a fraction, and the difference of two such times.
now() { date +%s.%N; }
elapsed() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'; }

# run_logged LOG COMMAND ...: quiet when it works, the end of its output when not.
run_logged() {
    log=$1
    shift
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        return 1
    fi
}

# configure DIR COMPILER OPTION ...: make DIR a build directory with exactly
# these options. One that was made with others is made anew.
configure() {
    dir=$1
    compiler=$2
    shift 2
    stamp="$compiler $(meson --version) $*"
    if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/.troupe-options" 2>/dev/null)" = "$stamp" ]; then
        return 0
    fi
    [ ! -d "$dir" ] || [ -d "$dir/meson-private" ] || [ -z "$(ls -A "$dir")" ] ||
        die "$dir is in the way and is not a build directory: move it"
    rm -rf "$dir"
    mkdir -p "$dir"
    CC=$compiler run_logged "$dir/configure.log" meson setup "$@" "$dir" "$root" || return 1
    printf '%s\n' "$stamp" >"$dir/.troupe-options"
}

# build DIR [TARGET ...]
build() {
    dir=$1
    shift
    run_logged "$dir/build.log" ninja -C "$dir" -j "$(jobs)" "$@"
}
