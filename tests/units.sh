#!/bin/sh
# usage: tests/units.sh FOLDER: systemd-analyze reads the units in FOLDER, and the drop-ins that the documentation shows for them.
set -eu
cd "$(dirname "$0")/.."
units=$1
documented='/etc/systemd/system'

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

# The loop in docs/delivering.md, without the commands that need a running systemd.
PYTHONPATH=tests/mta "${PYTHON:-python3}" -B -c '
from harness import documents
print(documents.commands(".", "delivering.md", "Mails that come back"))' |
    grep -v '^systemctl' | sed "s|$documented|$units|" | sh
for unit in tlsrpt-collect.service tlsrpt-deliver.service; do
    check_drop_in $unit
done

# The lines in the comment of the unit.
unit=tlsrpt-listen.service
mkdir "$units/$unit.d"
sed -n '/^#     \[Service\]/,/^#$/s/^#     //p' "$units/$unit" >"$units/$unit.d/user.conf"
check_drop_in $unit

# Controls: a wrong key of a drop-in is seen, and a unit that systemd refuses.
printf '[Service]\nDynamicUsr=no\n' >"$units/tlsrpt-deliver.service.d/user.conf"
case $(problems tlsrpt-deliver.service) in *DynamicUsr*) ;; *) echo 'systemd-analyze verify does not read drop-ins' >&2; exit 1 ;; esac
sed -i s/ListenDatagram/ListenDatagramme/ "$units/tlsrpt.socket"
if verify "$units/tlsrpt.socket" 2>/dev/null; then
    echo 'systemd-analyze verify takes a unit without a socket' >&2
    exit 1
fi
