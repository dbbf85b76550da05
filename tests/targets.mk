# Tests, checks and measurements. c-tests/targets.mk has those that are programs in C.

TESTS = test-rust test-vectors test-c test-c-headers test-links test-artefacts test-model test-faults test-integrations

##@ Tests
## test: all tests that need only cargo, a C compiler, make and Python 3
.PHONY: test
test:
	tests/run.sh $(call quoted,$(MAKE_PROGRAM)) $(TESTS)

# Tests unwind, and so do the crates that they use. With the panic = "abort" of the profile, which crates/clib needs, cargo would
# compile the crates of the command a second time, for the command that tests start.
CARGO_TEST = env CARGO_PROFILE_DEV_PANIC=unwind $(CARGO) test --locked

# Most tests wait for programs that they started: four at a time keep a core busy.
## test-rust: the tests of all crates
.PHONY: test-rust
test-rust:
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$(($$(getconf _NPROCESSORS_ONLN) * 4))} $(CARGO_TEST) --workspace

# ctypes loads only shared libraries, so the archive is linked into one.
## test-vectors: the recorded call sequences, through both libraries
.PHONY: test-vectors
test-vectors: $(LIBRARIES)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $(BUILD)/static-in-a-shell.so \
		-Wl,--whole-archive $(STATIC) -Wl,--no-whole-archive
	$(PYTHON) tests/vectors/replay.py check $(SHARED) tests/vectors/sequences.jsonl
	$(PYTHON) tests/vectors/replay.py check $(BUILD)/static-in-a-shell.so tests/vectors/sequences.jsonl

SCRATCH = $(BUILD)/scratch

.PHONY: install-scratch
install-scratch:
	rm -rf ./$(SCRATCH)
	$(MAKE) install-library DESTDIR=$(SCRATCH) PREFIX=/usr/local LIBDIR=/usr/local/lib INCLUDEDIR=/usr/local/include

## test-links: programs link with the installed libraries, also beside other Rust libraries
.PHONY: test-links
test-links: install-scratch
	c-tests/links/links.sh $(BUILD)/c-tests/links $(SCRATCH) /usr/local

## test-pkg-config: the same with the flags of pkg-config
.PHONY: test-pkg-config
test-pkg-config: install-scratch
	c-tests/links/links.sh $(BUILD)/c-tests/links $(SCRATCH) /usr/local pkg-config

## test-artefacts: names, exports, dependencies and hardening of the built libraries, and no panics in them
.PHONY: test-artefacts
test-artefacts: $(LIBRARIES)
	$(PYTHON) tests/artefacts.py check $(BUILD)
	MAKE=$(call quoted,$(MAKE_PROGRAM)) $(PYTHON) tests/artefacts.py control $(BUILD)/controls

## test-demo: what `make demo` prints and leaves behind
.PHONY: test-demo
test-demo:
	$(PYTHON) tests/demo.py $(call quoted,$(MAKE_PROGRAM))

## test-makefile: building, installing and removing in a path with spaces, for other targets, with libc's crate alone
.PHONY: test-makefile
test-makefile:
	tests/makefile.sh

## check-systems: compiles the client library for systems that it is not tested on; root, on Debian
.PHONY: check-systems
check-systems:
	tests/compilers/systems

## test-cinstall: the files that `cargo cinstall` installs, with Debian stable's cargo-c; root, on Debian or Ubuntu
.PHONY: test-cinstall
test-cinstall:
	tests/compilers/cinstall

## test-integrations: the module for Exim, and the examples for other servers
.PHONY: test-integrations
test-integrations: $(LIBRARIES) $(EXIM_MODULE)
	crates/exim/check.sh $(EXIM_MODULE)
	mkdir -p $(BUILD)/integrations
	$(CC) $(CFLAGS) $(LDFLAGS) -std=gnu11 -Wall -Wextra -Werror -rdynamic -o $(BUILD)/integrations/module \
		crates/exim/tests/module.c -ldl
	$(BUILD)/integrations/module $(EXIM_MODULE) $(BUILD)/integrations/collector
	$(CC) $(CFLAGS) $(LDFLAGS) -std=c11 -pedantic -Wall -Wextra -Werror -Iinclude -o $(BUILD)/integrations/one_policy \
		examples/one_policy.c $(SHARED) -Wl,-rpath,'$$ORIGIN/..'
	$(CARGO) build --target-dir $(call quoted,$(TARGET_DIR)) --locked --example several_policies
	$(PYTHON) examples/check.py $(BUILD)/integrations/one_policy \
		$(call quoted,$(TARGET_DIR)/$(OUTPUT)debug/examples/several_policies)

## test-senders: the senders without a library (docs/datagram.md); needs Python, Go, Perl, Node.js and socat
.PHONY: test-senders
test-senders: $(COMMAND) $(LIBRARIES)
	mkdir -p $(BUILD)/integrations
	$(CC) $(CFLAGS) $(LDFLAGS) -std=c11 -Iinclude -o $(BUILD)/integrations/one_policy examples/one_policy.c $(SHARED) \
		-Wl,-rpath,'$$ORIGIN/..'
	$(PYTHON) examples/senders/check.py $(COMMAND) $(BUILD)/integrations/one_policy

## test-reference: against Debian's build of the C library, which apt fetches; COUNT sequences from SEED
.PHONY: test-reference
test-reference: $(LIBRARIES)
	tests/reference/run.sh $(SHARED) $(BUILD)/reference "$(COUNT)" "$(SEED)"

## test-mta: real mail servers, SCENARIOS="name name" for some of them; root, on Debian or Ubuntu
.PHONY: test-mta
test-mta: $(LIBRARIES) $(COMMAND) exim
	tests/mta/run $(SCENARIOS)

## test-whole: the whole proof: two Postfix, Exim, Sendmail, three collectors, PostgreSQL, two reporters, a day and its
##   midnight, power cuts; root, on Debian
.PHONY: test-whole
test-whole: $(LIBRARIES) $(COMMAND) exim
	tests/mta/run whole

## test-docs: every block of the documents for operators, DOCUMENTS="name.md name.md" for some of them, each on a booted
##   Debian 13; root, on Debian or Ubuntu
.PHONY: test-docs
test-docs: $(LIBRARIES) $(COMMAND) exim
	tests/docs/run $(DOCUMENTS)

## test-postgresql: the store in a database, with Debian's PostgreSQL, which apt fetches for root
.PHONY: test-postgresql
test-postgresql:
	tests/postgresql/run $(CARGO_TEST)

## test-peer: tlsrpt-reporter 0.6.0 beside the command, CASES="name name" for some of them; needs pip,
##   PostgreSQL, which apt fetches for root, and, on Linux, root
.PHONY: test-peer
test-peer: $(COMMAND)
	tests/postgresql/install
	$(PYTHON) tests/peer/run $(COMMAND) $(CASES)

## test-architectures: the library on each architecture of Debian and with musl, under qemu; ARCHITECTURES="name name"
##   for some of them; root, on Debian
.PHONY: test-architectures
test-architectures:
	tests/compilers/architectures $(ARCHITECTURES)

## test-newest: the library and the C tests with the newest compilers of Debian testing, also for arm64; root, on Debian
.PHONY: test-newest
test-newest:
	tests/compilers/newest

## test-msrv: make test with Debian stable's Rust, which is the oldest that is supported, and its clang; root, on Debian
.PHONY: test-msrv
test-msrv:
	tests/compilers/oldest-rust

## test-static: `make static` in Debian 13, and its file at work in an empty root; root, on Debian
.PHONY: test-static
test-static:
	tests/compilers/static

## test-alpine: the packages of the APKBUILD, built with musl, and their services under OpenRC, in Debian 13; root, on Debian
.PHONY: test-alpine
test-alpine:
	tests/compilers/alpine

## test-freebsd-port: the port for FreeBSD, read by bmake, and its list of files
.PHONY: test-freebsd-port
test-freebsd-port: $(LIBRARIES)
	MAKE=$(call quoted,$(MAKE_PROGRAM)) tests/freebsd-port.sh $(BUILD)/freebsd-port $(INTERFACE)

## test-metrics: the metrics of `tlsrpt status`, read by Prometheus's promtool
.PHONY: test-metrics
test-metrics:
	mkdir -p $(BUILD)
	$(CARGO) run --quiet --target-dir $(call quoted,$(TARGET_DIR)) --locked --package tlsrpt-status --example metrics >$(BUILD)/metrics
	promtool check metrics <$(BUILD)/metrics
	! tr -d '"' <$(BUILD)/metrics | promtool check metrics 2>/dev/null

## test-pages: the pages for a browser, in Chromium, which apt fetches for root; pictures in build/pages
.PHONY: test-pages
test-pages: $(COMMAND)
	$(PYTHON) tests/pages/run $(COMMAND) $(BUILD)/pages

## test-collect: the collector as it is installed: COLLECT_SECONDS of arbitrary datagrams, and its memory
.PHONY: test-collect
COLLECT_SECONDS = 60
test-collect: $(COMMAND)
	TLSRPT_COMMAND=$(call quoted,$(abspath $(COMMAND))) FUZZ_COLLECT_SECONDS=$(COLLECT_SECONDS) \
		$(CARGO_TEST) --package tlsrpt-cli --test collecting -- arbitrary_datagrams
	TLSRPT_COMMAND=$(call quoted,$(abspath $(COMMAND))) \
		$(CARGO_TEST) --package tlsrpt-cli --test collecting -- memory_stays_small

## test-units: the units of systemd, as `make install` writes them, and the drop-ins of the documentation, read by systemd-analyze
.PHONY: test-units
test-units: $(LIBRARIES) $(COMMAND)
	units=$$(mktemp -d) && trap 'rm -rf "$$units"' EXIT && \
	$(MAKE) install DESTDIR= PREFIX="$$units" LIBDIR="$$units/lib" && \
	PYTHON=$(call quoted,$(PYTHON)) tests/units.sh "$$units/lib/systemd/system" "$$units/share/tlsrpt"

## test-reproducible: other folders and other users build the same bytes
.PHONY: test-reproducible
test-reproducible:
	sh tests/reproducible.sh

## test-publish: what `cargo publish` would upload, PUBLISH=compile to compile all of it; needs cargo 1.90 and the registry
.PHONY: test-publish
test-publish:
	$(PYTHON) tests/publish.py $(call quoted,$(TARGET_DIR)/publish) $(PUBLISH)

## audit: licences, sources and bans of all dependencies
.PHONY: audit
audit:
	sh tests/audit.sh

##@ Style
## lint: rustfmt and clippy
.PHONY: lint
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --release --package tlsrpt-clib --lib -- -D warnings
	$(CARGO) clippy --locked --release --package tlsrpt-exim --lib --features module -- -D warnings
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --all --check
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --target-dir $(call quoted,$(TARGET_DIR)/model) --locked -p tlsrpt-model \
		--all-targets -- -D warnings

## lint-man: the manual pages; needs mandoc and man
.PHONY: lint-man
lint-man:
	sh man/lint.sh

##@ Measurements
BENCH_PROGRAM = $(TARGET_DIR)/$(OUTPUT)release/tlsrpt-bench

## bench: the library beside the C library (docs/performance.md): Debian's, or REFERENCE=path
.PHONY: bench
bench: $(SHARED) bench-program
	reference=$(call quoted,$(REFERENCE)); \
	[ -n "$$reference" ] || reference=$$(find "$$(tests/reference/fetch.sh)" -name $(SONAME)); \
	$(call quoted,$(BENCH_PROGRAM)) all $(SHARED) "$$reference" --report docs/performance.md --chart docs/performance.svg

## bench-collect: the collector beside tlsrpt-collectd (docs/collecting.md); needs pip
.PHONY: bench-collect
bench-collect: $(COMMAND) bench-program
	environment=$$(PYTHONPATH=tests/mta $(PYTHON) -B -c 'from harness import reporter; print(reporter.environment())') && \
	$(call quoted,$(BENCH_PROGRAM)) collect $(COMMAND) "$$environment" \
		--report docs/collecting.md --chart docs/collecting.svg

## bench-many: collectors and reporters of many hosts with one PostgreSQL (docs/many-hosts.md), which apt fetches for root;
##   SECTIONS=name,name for some of the tables: tlsrpt-bench many --help
.PHONY: bench-many
bench-many: $(COMMAND) bench-program
	tests/postgresql/install
	$(call quoted,$(BENCH_PROGRAM)) many $(COMMAND) $(if $(SECTIONS),--only $(SECTIONS)) \
		--report docs/many-hosts.md

## bench-many-check: the sums of a short load of that measurement
.PHONY: bench-many-check
bench-many-check: $(COMMAND) bench-program
	tests/postgresql/install
	$(call quoted,$(BENCH_PROGRAM)) many $(COMMAND) --check 20000

## bench-deliver: the reports of 20,000 and 200,000 domains, made and handed over (docs/delivering.md)
.PHONY: bench-deliver
bench-deliver: $(COMMAND) bench-program
	$(call quoted,$(BENCH_PROGRAM)) deliver $(COMMAND) --most-memory $(MOST_MEMORY) --report docs/delivering.md

# The most memory of the reporter, in MiB, whatever the number of domains.
MOST_MEMORY = 64

## bench-check: measurements that do not depend on the machine: instructions, allocations, size, memory; needs valgrind
.PHONY: bench-check
bench-check: test-artefacts bench-program $(COMMAND)
	$(PYTHON) crates/bench/check.py $(call quoted,$(BENCH_PROGRAM)) $(SHARED)
	$(call quoted,$(BENCH_PROGRAM)) deliver $(COMMAND) --most-memory $(MOST_MEMORY) --domains 20000

.PHONY: bench-program
bench-program:
	$(CARGO) build --target-dir $(call quoted,$(TARGET_DIR)) --release --locked --package tlsrpt-bench
