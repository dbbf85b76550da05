#!/bin/sh
# Shows the library at work: installs it into a folder that is removed again, compiles the examples against that
# installation like any other program, and shows the datagrams that a collector gets. Called by `make demo`.
set -eu

: "${MAKE:=make}" "${CC:=cc}" "${LIBDIR:=/usr/local/lib}" "${INCLUDEDIR:=/usr/local/include}" "${BINDIR:=/usr/local/bin}"
examples=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
listener=
trap '[ -z "$listener" ] || kill "$listener"; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# The compiler and linker flags that libtlsrpt.pc asks for, below the scratch folder.
flags() {
    module=$scratch$LIBDIR/pkgconfig/libtlsrpt.pc
    if command -v pkg-config >/dev/null; then
        PKG_CONFIG_SYSROOT_DIR=$scratch PKG_CONFIG_PATH=${module%/*} \
            PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --cflags --libs libtlsrpt
    else
        # Its variables are written as in a shell.
        eval "$(sed -n '/^[a-z]*=/p' "$module")"
        eval "echo \"$(sed -n 's/^Cflags: //p; s/^Libs: //p' "$module")\"" |
            sed -e "s,-I/,-I$scratch/,g" -e "s,-L/,-L$scratch/,g"
    fi
}

echo "== make install, into a scratch folder"
"$MAKE" install DESTDIR="$scratch" >"$scratch/install.log" 2>&1 || {
    cat "$scratch/install.log" >&2
    exit 1
}
(cd "$scratch" && find . -name '*tlsrpt*' ! -name '*.3' ! -type d | sed 's,^\.,  ,' | sort)

echo "== the examples, compiled against it"
flags=$(flags)
for program in rfc8460-appendix-b postfix-events; do
    # shellcheck disable=SC2086 # the flags are several words, and the compiler may be
    $CC -std=c99 -Wall -Wextra -pedantic -Werror "$examples/$program.c" $flags -o "$scratch/$program"
done
LD_LIBRARY_PATH=$scratch$LIBDIR
export LD_LIBRARY_PATH
ldd "$scratch/postfix-events" | grep -F "=> $scratch$LIBDIR/libtlsrpt.so.0" || {
    echo "demo: the examples do not run with the library that was just built" >&2
    exit 1
}

# The name is relative, as in the configuration of Postfix, so it is short enough in any folder.
cd "$scratch"
mkdir -p run/tlsrpt
PATH=$scratch$BINDIR:$PATH
socket=run/tlsrpt/tlsrpt.sock

# watched PROGRAM FORM: shows the program's events with `tlsrpt listen --format FORM`, which must receive all of them.
watched() {
    echo
    echo "==== tlsrpt listen --format $2: $1"
    echo
    # Its standard error is a pipe: the first line says that it listens.
    mkfifo said
    tlsrpt listen --socket $socket --format "$2" >shown 2>said &
    listener=$!
    {
        read -r listening
        "./$1" $socket >sent
        kill -TERM "$listener"
        cat >said.txt
    } <said
    wait "$listener"
    listener=
    cat shown said.txt sent
    rm said
    [ "$(counted_in_"$2")" = "$(sed -n '$s/ .*//p' sent)" ] || {
        echo "demo: $listening, but not every event is shown" >&2
        exit 1
    }
}

counted_in_text() {
    grep -c '^[0-9-]*T[0-9:]*Z  ' shown
}

counted_in_report() {
    awk '/"total-.*-session-count":/ { gsub(/[^0-9]/, ""); sum += $0 } END { print sum }' shown
}

watched postfix-events text
watched rfc8460-appendix-b report

cat <<'END'

==== The next step: your Postfix (3.10 or later, built with TLSRPT)

  1. Install the library:              make && make install       (as root)
  2. See which library Postfix takes:  ldd $(postconf -hx daemon_directory)/smtp | grep tlsrpt
  3. Tell Postfix where to report, in main.cf:
         smtp_tlsrpt_enable = yes
         smtp_tlsrpt_socket_name = run/tlsrpt/tlsrpt.sock
     The name is relative to the queue directory, where a chrooted smtp(8) finds it too.
  4. Let a collector (tlsrpt-collectd of tlsrpt-reporter) listen there, then: postfix reload
  5. Check the configuration:          tlsrpt check --postfix

README.md has more, also for a Postfix from a package or from source.
END
