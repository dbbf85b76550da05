#!/bin/sh
# Runs the library and the C tests under the address, the thread and the undefined behaviour sanitizer.
#
#   c-tests/checkers/sanitizers.sh OUTPUT [EVENTS]
#
# The sanitizers are unstable flags of the Rust compiler; with RUSTC_BOOTSTRAP a stable compiler accepts them. The
# runtime of the Rust compiler is linked into the programs, which clang compiles. Rust has no undefined behaviour
# sanitizer: instead, the library is built with all checks on (overflow, the preconditions of unsafe functions). Each
# sanitizer has a positive control: a faulty program; for the address and the thread sanitizer, the error is in code of
# the library.
set -eu

output=$1 events=${2:-500}
target=$(rustc -vV | sed -n 's/^host: //p')
runtimes=$(rustc --print sysroot)/lib/rustlib/$target/lib
passed=0 failed=0
# The C tests check signals themselves.
export ASAN_OPTIONS=handle_segv=0 TSAN_OPTIONS=handle_segv=0 UBSAN_OPTIONS=handle_segv=0

# library NAME FLAGS: builds the library with these flags of rustc; sets $library.
library() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cpanic=abort $2" ${CARGO:-cargo} rustc --quiet --locked --release --lib \
        --package tlsrpt-clib --target "$target" --target-dir "target/sanitizers/$1"
    library=target/sanitizers/$1/$target/release/libtlsrpt.so
}

# verdict NAME STATUS: counts.
verdict() {
    if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        echo "$1: failed" >&2
    fi
}

# run_tests PROGRAM...: as c-tests/run.sh does, with $compiler and $link.
run_tests() {
    CC="$compiler" CFLAGS="-g -O1" LDFLAGS="$link" c-tests/run.sh "$folder" include "$library" "$@"
}

# check NAME WORD: the control, the threads and the C tests. The control's report must contain WORD.
check() {
    folder=$output/$1
    status=0
    "$folder/control" "$library" >"$folder/control.log" 2>&1 || status=$?
    verdict "the control of the $1 sanitizer" "$([ "$status" -ne 0 ] && grep -q "$2" "$folder/control.log"; echo $?)"
    status=0
    run_tests "threads/threads 8 $events" || status=$?
    verdict "threads with the $1 sanitizer" "$status"
    status=0
    run_tests || status=$?
    verdict "the C tests with the $1 sanitizer" "$status"
}

# sanitizer NAME SHORT WORD
sanitizer() {
    library "$1" "-Zsanitizer=$1 -Cunsafe-allow-abi-mismatch=sanitizer"
    compiler="clang -fsanitize=$1 -fno-sanitize-link-runtime"
    link="-Wl,--whole-archive $(echo "$runtimes"/librustc-*_rt."$2".a) -Wl,--no-whole-archive -Wl,--export-dynamic -lm"
    control_in_c "$1"
    check "$1" "$3"
}

# control_in_c NAME
control_in_c() {
    mkdir -p "$output/$1"
    # shellcheck disable=SC2086 # flags are several words
    $compiler -g -O1 -Wall -Wextra -Werror -Iinclude -Ic-tests/harness -pthread -o "$output/$1/control" \
        "c-tests/checkers/controls/$1.c" $link -ldl -lm
}

sanitizer address asan heap-use-after-free
sanitizer thread tsan 'data race'
all_checks='-Cdebug-assertions=on -Coverflow-checks=on'
library undefined "$all_checks"
compiler='clang -fsanitize=undefined -fno-sanitize-recover=all' link=
mkdir -p "$output/undefined"
# shellcheck disable=SC2086 # flags are several words
${RUSTC:-rustc} $all_checks -o "$output/undefined/control" c-tests/checkers/controls/undefined.rs
check undefined 'unsafe precondition'

echo "sanitizers: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
