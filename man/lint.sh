#!/bin/sh
# Checks the manual pages: mandoc and man print no warning, and the C in the pages compiles. Called by `make lint-man`.
set -eu

: "${CC:=cc}"
cd "$(dirname "$0")"
for program in mandoc man; do
    command -v "$program" >/dev/null || {
        echo "lint-man: $program is not installed; on Debian: apt install mandoc man-db" >&2
        exit 1
    }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Prints the warnings about a page, without the two that depend on which other pages are installed.
complaints() {
    mandoc -T lint -W style "$1" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true
    LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -Tutf8 -Z -l "$1" 2>&1 >/dev/null || true
}

# Writes each display of a page, which all hold C, to a file of its own.
displays() {
    awk -v prefix="$scratch/$1" '
        /^\.Ed/ { inside = 0 }
        inside { gsub(/\\e/, "\\"); print >file }
        /^\.Bd -literal/ { inside = 1; file = prefix "." ++count }' "$1"
}

# Prints the C of a display as a whole program: adds headers, a function and the variables that the pages use.
whole_program() {
    if grep -q '^#include' "$1"; then
        cat "$1"
    else
        printf '#include <%s>\n' errno.h stdio.h string.h sys/socket.h syslog.h tlsrpt.h
        echo 'void example(struct tlsrpt_connection_t *con, struct tlsrpt_dr_t *dr, int code) {'
        echo '(void)con; (void)dr; (void)code; {'
        cat "$1"
        echo '} }'
    fi
}

# Positive control: a page with mistakes must cause warnings.
printf '.Dd today\n.Dt X 3\n.Os\n.Sh NAME\n.Bad\n' >"$scratch/bad.3"
[ -n "$(complaints "$scratch/bad.3")" ] || {
    echo "lint-man: mandoc finds nothing wrong with a bad page" >&2
    exit 1
}

for page in *.[135]; do
    warnings=$(complaints "$page")
    [ -z "$warnings" ] || {
        echo "$warnings" >&2
        exit 1
    }
done
for page in *.3; do
    displays "$page"
done
for example in "$scratch"/*.3.*; do
    whole_program "$example" >"$example.c"
    $CC -std=c99 -Wall -Wextra -Werror -Wno-unused-variable -fsyntax-only -I../include "$example.c"
done
