#!/bin/sh
# usage: tests/units.sh FOLDER SHARED: systemd-analyze reads the units in FOLDER, and the drop-ins in SHARED and in the comment of a
# unit.
set -eu
cd "$(dirname "$0")/.."
units=$1
shared=$2

verify() {
    systemd-analyze verify --man=no "$@"
}

# problems UNIT: what systemd-analyze says of a unit and its drop-ins. An unknown key is only a warning: the exit code does not tell.
problems() {
    verify "$units/$1" 2>&1 | grep -F "$units/$1" || true
}

exposure() {
    systemd-analyze security --offline=true --no-pager "$units/$1" | sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p'
}

user() {
    systemd-analyze security --offline=true --no-pager "$units/$1" | grep -F 'User=/DynamicUser='
}

# expect WHAT FOUND WANTED
expect() {
    [ "$2" = "$3" ] || { printf '%s: wanted "%s", found "%s"\n' "$1" "$3" "$2" >&2; exit 1; }
}

# check_drop_in UNIT: its drop-in has no errors, gives the service a user that stays, and takes no restriction away.
check_drop_in() {
    expect "$1 with its drop-in" "$(problems "$1")" ''
    case $(user "$1") in *'static non-root user'*) ;; *) echo "$1: the drop-in has no effect: $(user "$1")" >&2; exit 1 ;; esac
    with=$(exposure "$1")
    mv "$units/$1.d" "$units/$1.aside"
    expect "exposure of $1 with its drop-in" "$with" "$(exposure "$1")"
    case $(user "$1") in *'transient non-root user'*) ;; *) echo "$1 without its drop-in: $(user "$1")" >&2; exit 1 ;; esac
    mv "$units/$1.aside" "$units/$1.d"
}

verify "$units"/tlsrpt*

# at_most UNIT: its exposure is at most 2.0, where 10 is the worst.
at_most() {
    exposure "$1" | awk -v unit="$1" '{ print unit ": exposure " $1 } !($1 + 0 > 0 && $1 <= 2.0) { exit 1 }'
}

for unit in tlsrpt-collect.service tlsrpt-deliver.service tlsrpt-listen.service; do
    at_most $unit
done

# Drop-ins for the socket.
for drop_in in postfix-queue exim sendmail; do
    mkdir "$units/tlsrpt.socket.d"
    cp "$shared/$drop_in.conf" "$units/tlsrpt.socket.d/"
    expect "tlsrpt.socket with $drop_in.conf" "$(problems tlsrpt.socket)" ''
    rm -r "$units/tlsrpt.socket.d"
done

# The timer in docs/collecting.md.
PYTHONPATH=tests/mta "${PYTHON:-python3}" -B -c '
from harness import documents
print(documents.commands(".", "collecting.md", "A page for a web server"))' |
    grep -v '^systemctl' | sed "s|/etc/systemd/system|$units|; s|/usr/bin/tlsrpt|$units/../../../bin/tlsrpt|" | sh
verify "$units/tlsrpt-status.service" "$units/tlsrpt-status.timer"
for unit in tlsrpt-status.service tlsrpt-status.timer; do
    expect "$unit" "$(problems $unit)" ''
done

# The lines in the comment of the unit.
unit=tlsrpt-listen.service
mkdir "$units/$unit.d"
sed -n '/^#     \[Service\]/,/^#$/s/^#     //p' "$units/$unit" >"$units/$unit.d/user.conf"
check_drop_in $unit

# Controls: an open unit is seen, a wrong key of a drop-in, and a unit that systemd refuses.
mkdir "$units/tlsrpt-deliver.service.d"
printf '[Service]\nProtectSystem=no\nSystemCallFilter=\n' >"$units/tlsrpt-deliver.service.d/user.conf"
if at_most tlsrpt-deliver.service; then
    echo 'the limit of the exposure has no effect' >&2
    exit 1
fi
printf '[Service]\nDynamicUsr=no\n' >"$units/tlsrpt-deliver.service.d/user.conf"
case $(problems tlsrpt-deliver.service) in *DynamicUsr*) ;; *) echo 'systemd-analyze verify does not read drop-ins' >&2; exit 1 ;; esac
sed -i s/ListenDatagram/ListenDatagramme/ "$units/tlsrpt.socket"
if verify "$units/tlsrpt.socket" 2>/dev/null; then
    echo 'systemd-analyze verify takes a unit without a socket' >&2
    exit 1
fi
