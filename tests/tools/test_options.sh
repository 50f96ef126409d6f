#!/bin/sh
# Every tool explains itself and refuses what it does not know: test_options.sh ROOT
set -eu
root=$1
failed=0

complain() {
    echo "$*"
    failed=1
}

for tool in setup check counts demo dev lint testlog; do
    help=$("$root/tools/$tool" --help) || complain "tools/$tool --help: exit $?"
    case $help in
    usage:*"tools/$tool"*) ;;
    *) complain "tools/$tool --help does not begin with its usage: $help" ;;
    esac

    status=0
    message=$("$root/tools/$tool" --bogus 2>&1) || status=$?
    [ "$status" -eq 2 ] || complain "tools/$tool --bogus: exit $status, 2 wanted"
    [ "$(printf '%s\n' "$message" | wc -l)" -eq 1 ] ||
        complain "tools/$tool --bogus: one line wanted, got: $message"
    case $message in
    "tools/$tool: "*--bogus* | "tools/$tool: "*required*) ;;
    *) complain "tools/$tool --bogus does not name the option: $message" ;;
    esac
done
exit $failed
