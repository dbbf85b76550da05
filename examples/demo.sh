#!/bin/sh
# Shows the whole way of a report: two C programs send events through the library, tlsrpt collects them, makes the reports
# and delivers them to a local folder, and the mail that a domain would get is shown. Everything is in a folder that is
# removed at the end. Called by `make demo`; tests/demo.py checks what it prints.
set -eu

: "${MAKE:=make}" "${CC:=cc}" "${PYTHON:=python3}"
: "${LIBDIR:=/usr/local/lib}" "${INCLUDEDIR:=/usr/local/include}" "${BINDIR:=/usr/local/bin}"
examples=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
service=
# The service may have ended by the same signal.
trap '[ -z "$service" ] || { kill "$service" 2>/dev/null || true; wait "$service" || true; }; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT PIPE TERM

# quietly STEP COMMAND...: one line for the step; the output of the command only if it fails.
quietly() {
    echo "  $1"
    shift
    "$@" >"$scratch/log" 2>&1 || {
        cat "$scratch/log" >&2
        exit 1
    }
}

# The compiler and linker flags that libtlsrpt.pc asks for, below the scratch folder.
flags() {
    module=$scratch$LIBDIR/pkgconfig/libtlsrpt.pc
    if command -v pkg-config >/dev/null; then
        PKG_CONFIG_SYSROOT_DIR=$scratch PKG_CONFIG_PATH=${module%/*} \
            PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config --cflags --libs libtlsrpt
    else
        # Its variables are written as in a shell.
        escaped=$(echo "$scratch" | sed 's/[ \]/\\\\&/g')
        eval "$(sed -n '/^[a-z]*=/p' "$module")"
        eval "echo \"$(sed -n 's/^Cflags: //p; s/^Libs: //p' "$module")\"" |
            sed -e "s,-I/,-I$escaped/,g" -e "s,-L/,-L$escaped/,g"
    fi
}

# compile PROGRAM: as a user of the library does. Fails if the program takes another libtlsrpt.
compile() {
    flags >"$scratch/flags"
    # xargs reads the flags as pkg-config writes them: with backslashes before spaces in a path. CC may be several words.
    # shellcheck disable=SC2086
    xargs $CC -std=c99 -Wall -Wextra -pedantic -Werror "$examples/$1.c" -o "$scratch/$1" <"$scratch/flags" &&
        LD_LIBRARY_PATH=$scratch$LIBDIR ldd "$scratch/$1" | grep -F "=> $scratch$LIBDIR/libtlsrpt.so.0"
}

# block SENTENCE COMMAND: what the output that follows is.
block() {
    printf '\n%s\n' "$1"
    echo "\$ $2"
}

shown() { fold -s -w 78 | sed 's/^/  /; s/ *$//'; }

echo "Building (the first time takes minutes), and installing into a scratch folder."
quietly "libtlsrpt.so.0 and libtlsrpt.a: make library" "$MAKE" library
quietly "tlsrpt: make command" "$MAKE" command
quietly "make install" "$MAKE" install DESTDIR="$scratch"
for program in postfix-events rfc8460-appendix-b; do
    quietly "cc $program.c -ltlsrpt" compile $program
done

cd "$scratch"
export LD_LIBRARY_PATH="$scratch$LIBDIR" PATH="$scratch$BINDIR:$PATH"
cat >tlsrpt.toml <<CONFIGURATION
[collect]
socket = '$scratch/tlsrpt.sock'
socket-mode = "0600"
[store]
url = 'sqlite:$scratch/tlsrpt.db'
[report]
organization = "Company-X"
contact = "sts-reporting@company-x.example"
from = "noreply-smtp-tls-reporting@company-x.example"
[mail]
sendmail = '$scratch/sendmail'
CONFIGURATION
mkdir mails
printf '#!/bin/sh\ncat >"${0%%/*}/mails/$$"\n' >sendmail
chmod +x sendmail

# serving: starts the collector and the reporter, and returns when they listen.
serving() {
    mkfifo said
    tlsrpt serve --config tlsrpt.toml >/dev/null 2>said &
    service=$!
    exec 3<said
    rm said
    : >log
    while read -r line <&3; do
        case $line in
        *': listening at '*) return ;;
        esac
        echo "$line" >>log
    done
    # It has ended.
    cat log >&2
    service=
    exit 1
}

# ending: the sum of the counters, which the service prints when all events are in the store.
ending() {
    kill -TERM "$service"
    sed -n '/ datagrams arrived: /p' <&3
    wait "$service"
    service=
}

# events: two mail servers, and the collector that counts their events.
events() {
    serving
    for program in postfix-events rfc8460-appendix-b; do
        ./$program tlsrpt.sock >>sent
    done
    ending >sum
}

# If midnight has come in between, the events are of two days: once more.
today=
while [ "$today" != "$(date -u +%F)" ]; do
    today=$(date -u +%F)
    rm -f tlsrpt.db* sent
    events
done

block "A mail server tells the library about each TLS session, and the library sends
an event to the collector. Here two C programs are the mail servers." \
    "tlsrpt serve & postfix-events tlsrpt.sock; rfc8460-appendix-b tlsrpt.sock"
cat sent sum | shown

block "The collector counts the events of each day and domain in the store." "tlsrpt status"
tlsrpt status --config tlsrpt.toml | grep -e '^day' -e "^$today" | shown

block "After midnight the reporter makes a report for each domain, and sends it where
the TLSRPT record of the domain says. Here it does so now, into a folder." "tlsrpt deliver --day today"
tlsrpt deliver --day "$today" --config tlsrpt.toml >delivered 2>log || {
    cat log >&2
    exit 1
}
shown <delivered

block "The mail that company-y.example gets has the report that RFC 8460 shows in
Appendix B. Its JSON, in short:" "cat mail"
"$PYTHON" -B "$examples/show_mail.py" reports@company-y.example mails/* >mail
shown <mail

cat <<'END'

Next: docs/postfix.md, docs/exim.md or docs/sendmail.md for your mail server.
There, `tlsrpt check` finds what keeps events from arriving.
END
