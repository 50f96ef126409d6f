#!/bin/sh
# tools/check turns red when it has to: test_check.sh ROOT
#
# Each case is a small project with the tools of this one.
set -eu
root=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/tools"
cp "$root/tools/check" "$root/tools/lib.sh" "$root/tools/testlog" \
    "$root/tools/lint" "$tree/tools"
cp "$root/meson_options.txt" "$tree"
printf '#!/bin/sh\n' >"$tree/tools/setup" # a test installs nothing
chmod +x "$tree/tools/setup"
failed=0

# check_case NAME STATUS "LINE BEFORE LAST" "LAST LINE", its meson lines on stdin
check_case() {
    { echo "project('small', 'c')" && cat; } >"$tree/meson.build"
    rm -rf "$tree/build-check-gcc"
    status=0
    "$tree/tools/check" --only gcc >"$tree/output" 2>&1 || status=$?
    got=$(tail -n 2 "$tree/output")
    if [ "$status" -ne "$2" ] || [ "$got" != "$3
$4" ]; then
        echo "$1: exit $status ($2 wanted), output:"
        cat "$tree/output"
        failed=1
    fi
}

check_case "all pass" 0 "2 passed, 0 failed" "check: ok - 2 tests passed in 1 configuration" <<'END'
test('a', find_program('true'))
test('b', find_program('true'))
END
check_case "one fails" 1 "1 passed, 1 failed" \
    "check: FAILED - 1 failed, 1 passed in 1 configuration" <<'END'
test('a', find_program('true'))
test('b', find_program('false'))
END
check_case "no test" 1 "0 passed, 1 failed" \
    "check: FAILED - 1 failed, 0 passed in 1 configuration" <<'END'
END
check_case "all skipped" 1 "0 passed, 1 failed" \
    "check: FAILED - 1 failed, 0 passed in 1 configuration" <<'END'
test('a', find_program('sh'), args: ['-c', 'exit 77'])
END
check_case "does not configure" 1 "0 passed, 1 failed" \
    "check: FAILED - 1 failed, 0 passed in 1 configuration" <<'END'
dependency('no-such-library')
END
check_case "does not build" 1 "0 passed, 1 failed" \
    "check: FAILED - 1 failed, 0 passed in 1 configuration" <<'END'
executable('broken', files('broken.c'))
END
echo 'int x' >"$tree/broken.c"
check_case "does not compile" 1 "0 passed, 1 failed" \
    "check: FAILED - 1 failed, 0 passed in 1 configuration" <<'END'
executable('broken', files('broken.c'))
END

# counts_case STATUS-OF-COUNTS STATUS "LINE BEFORE LAST" "LAST LINE"
counts_case() {
    printf '#!/bin/sh\nexit %d\n' "$1" >"$tree/tools/counts"
    chmod +x "$tree/tools/counts"
    status=0
    "$tree/tools/check" --only counts >"$tree/output" 2>&1 || status=$?
    got=$(tail -n 2 "$tree/output")
    if [ "$status" -ne "$2" ] || [ "$got" != "$3
$4" ]; then
        echo "counts that exit $1: exit $status ($2 wanted), output:"
        cat "$tree/output"
        failed=1
    fi
}

counts_case 0 0 "1 passed, 0 failed" "check: ok - 1 tests passed in 0 configurations"
counts_case 1 1 "0 passed, 1 failed" "check: FAILED - 1 failed, 0 passed in 0 configurations"
counts_case 77 1 "0 passed, 0 failed" \
    "check: FAILED - 0 failed, 0 passed in 0 configurations, counts skipped"
exit $failed
