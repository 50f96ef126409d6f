#!/bin/sh
# Install into an empty directory and use what is there as a stranger would:
# run.sh SOURCE BUILD
set -eu
me=tests/install
root=$1
build=$2
here=$root/tests/install
. "$root/tools/lib.sh"

destination=$(mktemp -d)
trap 'rm -rf "$destination"' EXIT
cc=${CC:-cc}

installed() { find "$destination" -name "$1" | head -n 1; }

install_into_destination() {
    DESTDIR=$destination run_logged "$destination/log" \
        meson install -C "$build" --no-rebuild --quiet || die "meson install failed"
    pc=$(installed troupe.pc)
    [ -n "$pc" ] || die "no troupe.pc was installed"
    recorded=$(sed -n 's/^prefix=//p' "$pc")
    prefix=$destination$recorded
    libdir=$(dirname "$(dirname "$pc")")
    export LD_LIBRARY_PATH="$libdir"
}

flags() {
    PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" "$@" troupe ||
        die "pkg-config $* troupe failed"
}

check_headers() {
    (cd "$root/include" && find troupe -name '*.h' | sort) >"$destination/wanted"
    (cd "$prefix/include" && find troupe -type f | sort) >"$destination/got"
    cmp "$destination/wanted" "$destination/got" ||
        die "the installed headers differ: $(diff "$destination/wanted" "$destination/got" | tr '\n' ' ')"
}

# Each header stands alone, under the warnings of a careful user.
check_headers_alone() {
    while read -r header; do
        # shellcheck disable=SC2046  # a list of flags
        echo "#include <$header>" | $cc -std=gnu17 -Wall -Wextra -Wshadow -Wconversion -Werror \
            -fsyntax-only -x c $(flags --cflags) - || die "<$header> does not stand alone"
    done <"$destination/wanted"
}

# check_program NAME FLAG ...
check_program() {
    program=$destination/$1
    shift
    $cc -std=gnu17 -Wall -Wextra -Werror "$here/outside.c" -o "$program" "$@" ||
        die "outside.c does not build with: $*"
    output=$("$program") || die "$program failed (exit $?): $output"
    [ "$output" = "outside: ok" ] || die "$program printed \"$output\", not \"outside: ok\""
}

check_programs() {
    case $(flags --cflags) in
    *-fexceptions*) ;;
    *) die "pkg-config --cflags lacks -fexceptions: panics would not run cleanups" ;;
    esac
    # shellcheck disable=SC2046  # a list of flags
    check_program shared $(flags --cflags --libs)
    # shellcheck disable=SC2046
    check_program static $(flags --cflags --libs --static | sed 's/-ltroupe\b/-l:libtroupe.a/')
    ! ldd "$destination/static" | grep libtroupe || die "the static program still needs libtroupe.so"
}

check_exports() {
    library=$(installed libtroupe.so)
    [ -n "$library" ] || die "no libtroupe.so was installed"
    nm -D --defined-only "$library" | awk '{ print $NF }' >"$destination/exports"
    grep -q '^tr_' "$destination/exports" || die "libtroupe.so exports no tr_ symbol"
    foreign=$(grep -v '^tri\{0,1\}_' "$destination/exports" | tr '\n' ' ')
    [ -z "$foreign" ] || die "libtroupe.so exports names that are not its own: $foreign"
}

check_tool() {
    [ -x "$prefix/bin/troupe" ] || die "no bin/troupe was installed"
    output=$("$prefix/bin/troupe" --version) || die "troupe --version: exit $?"
    version=$(flags --modversion)
    case $output in
    *"$version"*) ;;
    *) die "troupe --version says \"$output\", pkg-config says $version" ;;
    esac
}

install_into_destination
check_headers
check_headers_alone
check_programs
check_exports
check_tool
echo "install: ok"
