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
    run_logged "$dir/build.log" ninja --quiet -C "$dir" -j "$(jobs)" "$@"
}

# -- configurations: shared by tools/check and tools/dev ------------------------

# options_of NAME: its compiler and what its build directory is configured with.
options_of() {
    case $1 in
    gcc) echo "gcc -Dchecked=true" ;;
    clang) echo "clang -Dbuildtype=release" ;;
    *-asan) echo "${1%-asan} -Dchecked=true -Db_sanitize=address,undefined" ;;
    *-tsan) echo "${1%-tsan} -Dchecked=true -Db_sanitize=thread" ;;
    stress) echo "gcc -Dchecked=true -Dstress=true" ;;
    release) echo "gcc -Dbuildtype=release -Dtests=false" ;;
    *) die "options_of: no configuration $1" ;;
    esac
}

# How much of each stress test to run where the environment does not say.
stress_of() {
    case $1 in
    *-tsan) echo 0.05 ;;
    *-asan) echo 0.1 ;;
    stress) echo 1 ;;
    *) echo 0.2 ;;
    esac
}

# gcc 12 and clang 14 cannot place their shadow when addresses are too random.
wrapper_of() {
    case $1 in
    *-asan | *-tsan)
        if setarch -R true 2>/dev/null; then
            echo "setarch -R"
        fi
        ;;
    esac
}

# The first report ends the program. 66 is no exit code of ours: a report is
# never mistaken for a failure that a test expects.
set_sanitizers() {
    export ASAN_OPTIONS=detect_leaks=1:exitcode=66:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=66
    export TSAN_OPTIONS=halt_on_error=1:exitcode=66:second_deadlock_stack=1
    export LSAN_OPTIONS=exitcode=66
}

# run_tests NAME DIR [ARGUMENT OF MESON TEST ...]: its output and exit status.
run_tests() {
    name=$1
    dir=$2
    shift 2
    rm -f "$dir"/meson-logs/testlog*
    wrapper=$(wrapper_of "$name")
    patience=1
    case $name in *-*) patience=4 ;; esac
    TROUPE_STRESS=${TROUPE_STRESS:-$(stress_of "$name")} meson test -C "$dir" --no-rebuild \
        --num-processes "$(jobs)" --timeout-multiplier "$patience" \
        ${wrapper:+--wrapper "$wrapper"} "$@" </dev/null
}
