# make                 the shared and the static library and the command tlsrpt, in build/
# make demo            shows the library at work
# make test            everything that needs cargo, a C compiler, make and Python 3
# make test-headers    the headers with gcc, clang and their C++
# make test-pkg-config links as pkg-config says
# make test-memory     the C tests under valgrind
# make test-reference  against Debian's build of the C library, which apt fetches; COUNT sequences from SEED
# make test-mta        on real mail servers; root, on Debian or Ubuntu
# make test-faults     whatever the caller, the machine or the collector does; test-root for what root can set up
# make test-sanitizers the same under the address, undefined behaviour and thread sanitizers
# make fuzz            both fuzzers, FUZZ_SECONDS each
# make soak            SOAK_EVENTS events with flat memory
# make test-reproducible  two builds in different folders give the same bytes
# make audit           licences and sources of all dependencies
# make lint            format, clippy
# make lint-man        the manual pages; needs mandoc and man
# make header          writes the generated files anew
# make bench           measures the library beside the C library (docs/performance.md)
# make bench-check     holds what does not depend on the machine; needs valgrind
# make install         with DESTDIR PREFIX LIBDIR INCLUDEDIR MANDIR BINDIR SHAREDIR UNITDIR
#                      or only one of: install-library install-command
# make uninstall       takes the same files away
# make exim            the module for Exim, in build/
# make dist            the source tarball for packages, in build/dist/
# make test-packages   builds and installs packages in Debian 13; root, on Debian or Ubuntu
# make install-exim    with DESTDIR PREFIX EXIMLIBDIR SHAREDIR
# make install-sendmail  with DESTDIR PREFIX BINDIR SHAREDIR UNITDIR

PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
SHAREDIR = $(PREFIX)/share
MANDIR = $(SHAREDIR)/man
BINDIR = $(PREFIX)/bin
UNITDIR = $(PREFIX)/lib/systemd/system

CARGO = cargo
CFLAGS = -O2 -g
PYTHON = python3
OBJCOPY = objcopy
NM = nm
# The scripts of the tests use the same ones.
export CC CFLAGS NM PYTHON

BUILD = build
SONAME = libtlsrpt.so.0
# The level of the C interface, for ever compatible. The version of the project is another number, in Cargo.toml.
INTERFACE = $(shell sed -n 's/^level!(\([0-9]*\), \([0-9]*\), \([0-9]*\), "\(.*\)");$$/\1.\2.\3\4/p' src/version.rs)
# The name of the file is the C library's: replacing that file in place is an installation too.
REALNAME = $(SONAME).0.0
SHARED = $(BUILD)/$(REALNAME)
STATIC = $(BUILD)/libtlsrpt.a
LIBRARIES = $(SHARED) $(STATIC)

COMMAND = $(BUILD)/tlsrpt

.PHONY: all
all: $(LIBRARIES) $(COMMAND)

# ---- the libraries

RELEASE = target/release
SOURCES = Cargo.toml Cargo.lock src/*.rs src/*/*.rs crates/clib/Cargo.toml crates/clib/src/*.rs

$(SHARED): $(SOURCES)
	$(CARGO) rustc --target-dir target --release --locked --package tlsrpt-clib --lib -- \
		-C link-arg=-Wl,-soname,$(SONAME) -C link-arg=-Wl,-z,defs -C link-arg=-nostartfiles
	mkdir -p $(BUILD)
	cp $(RELEASE)/libtlsrpt.so $@
	ln -sf $(REALNAME) $(BUILD)/$(SONAME)
	ln -sf $(SONAME) $(BUILD)/libtlsrpt.so

# One object with the exported functions global and all else local: what Rust brings along stays out, so the library
# shares a program with other Rust libraries.
$(STATIC): $(SHARED)
	$(NM) -D --defined-only $(SHARED) | awk '$$2 == "T" { print $$3 }' >$(BUILD)/exports
	$(LD) -r --gc-sections $$(sed 's/^/-u /' $(BUILD)/exports) -o $(BUILD)/libtlsrpt.o $(RELEASE)/libtlsrpt.a
	$(OBJCOPY) --keep-global-symbols=$(BUILD)/exports $(BUILD)/libtlsrpt.o
	rm -f $@
	$(AR) rcs $@ $(BUILD)/libtlsrpt.o

# ---- the command

COMMAND_CRATES = cli format sendmail socket

$(COMMAND): $(SOURCES) $(wildcard $(COMMAND_CRATES:%=crates/%/Cargo.toml) $(COMMAND_CRATES:%=crates/%/src/*.rs) \
		$(COMMAND_CRATES:%=crates/%/src/*/*.rs))
	$(CARGO) build --target-dir target --profile command --locked --package tlsrpt-cli
	mkdir -p $(BUILD)
	cp target/command/tlsrpt $@
	for shell in bash zsh fish; do $@ completions $$shell >$(BUILD)/completion.$$shell || exit; done

UNIT = $(BUILD)/tlsrpt-listen.service

.PHONY: $(UNIT)
$(UNIT):
	mkdir -p $(BUILD)
	sed -e 's,@BINDIR@,$(BINDIR),' packaging/systemd/tlsrpt-listen.service.in >$@

.PHONY: header
header:
	WRITE_GENERATED=1 $(CARGO) test --quiet --locked --test generated_files

# ---- installation

BASH_COMPLETIONS = bash-completion/completions
ZSH_COMPLETIONS = zsh/site-functions
FISH_COMPLETIONS = fish/vendor_completions.d
COMPLETIONS = $(BASH_COMPLETIONS) $(ZSH_COMPLETIONS) $(FISH_COMPLETIONS)

.PHONY: install
install: install-library install-command

.PHONY: install-library
install-library: $(LIBRARIES) $(BUILD)/libtlsrpt.pc
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man3
	install -m 644 $(SHARED) $(STATIC) $(DESTDIR)$(LIBDIR)
	ln -sf $(REALNAME) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libtlsrpt.so
	install -m 644 include/tlsrpt.h include/tlsrpt_version.h $(DESTDIR)$(INCLUDEDIR)
	install -m 644 $(BUILD)/libtlsrpt.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 man/*.3 $(DESTDIR)$(MANDIR)/man3
	[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

.PHONY: install-command
install-command: $(COMMAND) $(UNIT)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(UNITDIR)
	install -m 755 $(COMMAND) $(DESTDIR)$(BINDIR)
	install -m 644 man/tlsrpt.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(UNIT) $(DESTDIR)$(UNITDIR)
	install -d $(COMPLETIONS:%=$(DESTDIR)$(SHAREDIR)/%)
	install -m 644 $(BUILD)/completion.bash $(DESTDIR)$(SHAREDIR)/$(BASH_COMPLETIONS)/tlsrpt
	install -m 644 $(BUILD)/completion.zsh $(DESTDIR)$(SHAREDIR)/$(ZSH_COMPLETIONS)/_tlsrpt
	install -m 644 $(BUILD)/completion.fish $(DESTDIR)$(SHAREDIR)/$(FISH_COMPLETIONS)/tlsrpt.fish

.PHONY: uninstall
uninstall:
	cd $(DESTDIR)$(LIBDIR) && rm -f $(REALNAME) $(SONAME) libtlsrpt.so libtlsrpt.a pkgconfig/libtlsrpt.pc
	cd $(DESTDIR)$(INCLUDEDIR) && rm -f tlsrpt.h tlsrpt_version.h
	for page in man/*.3; do rm -f $(DESTDIR)$(MANDIR)/man3/$${page##*/}; done
	rm -f $(DESTDIR)$(BINDIR)/tlsrpt $(DESTDIR)$(MANDIR)/man1/tlsrpt.1 $(DESTDIR)$(UNITDIR)/tlsrpt-listen.service
	cd $(DESTDIR)$(SHAREDIR) && rm -f $(BASH_COMPLETIONS)/tlsrpt $(ZSH_COMPLETIONS)/_tlsrpt $(FISH_COMPLETIONS)/tlsrpt.fish

.PHONY: $(BUILD)/libtlsrpt.pc
$(BUILD)/libtlsrpt.pc:
	mkdir -p $(BUILD)
	sed -e 's,@PREFIX@,$(PREFIX),' -e 's,@LIBDIR@,$(LIBDIR),' -e 's,@INCLUDEDIR@,$(INCLUDEDIR),' \
		-e "s,@VERSION@,$(INTERFACE)," pkgconfig/libtlsrpt.pc.in >$@

# ---- the demonstration

.PHONY: demo
demo: $(LIBRARIES) $(COMMAND)
	@MAKE='$(MAKE)' CC='$(CC)' LIBDIR='$(LIBDIR)' INCLUDEDIR='$(INCLUDEDIR)' BINDIR='$(BINDIR)' sh examples/demo.sh

include crates/integrations.mk
include packaging/rules.mk

# ---- tests

TESTS = test-rust test-vectors test-c test-c-headers test-links test-artefacts test-model test-faults test-integrations

.PHONY: test
test:
	tests/run.sh "$(MAKE)" $(TESTS)

.PHONY: test-rust
test-rust:
	$(CARGO) test --locked --workspace

# The recorded call sequences through the C interface of both libraries. ctypes loads the static one inside a shell.
.PHONY: test-vectors
test-vectors: $(LIBRARIES)
	$(CC) -shared -o $(BUILD)/static-in-a-shell.so -Wl,--whole-archive $(STATIC) -Wl,--no-whole-archive
	$(PYTHON) tests/vectors/replay.py check $(SHARED) tests/vectors/sequences.jsonl
	$(PYTHON) tests/vectors/replay.py check $(BUILD)/static-in-a-shell.so tests/vectors/sequences.jsonl

.PHONY: test-c
test-c: $(LIBRARIES)
	c-tests/run.sh $(BUILD)/c-tests/shared include $(SHARED)
	c-tests/run.sh $(BUILD)/c-tests/static include $(STATIC)

# C++ and a second compiler are not among what `make test` needs: test-headers has them.
.PHONY: test-c-headers
test-c-headers: $(LIBRARIES)
	c-tests/headers.sh $(BUILD)/c-tests/headers include $(SHARED) $(CC)

.PHONY: test-headers
test-headers: $(LIBRARIES)
	c-tests/headers.sh $(BUILD)/c-tests/headers include $(SHARED) "gcc clang" "g++ clang++"

SCRATCH = $(CURDIR)/$(BUILD)/scratch

.PHONY: install-scratch
install-scratch:
	rm -rf $(SCRATCH)
	$(MAKE) install DESTDIR=$(SCRATCH) PREFIX=/usr/local LIBDIR=/usr/local/lib INCLUDEDIR=/usr/local/include

.PHONY: test-links
test-links: install-scratch
	c-tests/links.sh $(BUILD)/c-tests/links $(SCRATCH) /usr/local

# Nor is pkg-config.
.PHONY: test-pkg-config
test-pkg-config: install-scratch
	c-tests/links.sh $(BUILD)/c-tests/links $(SCRATCH) /usr/local pkg-config

.PHONY: test-artefacts
test-artefacts: $(LIBRARIES)
	$(PYTHON) tests/artefacts.py check $(BUILD)
	$(PYTHON) tests/artefacts.py control $(BUILD)/controls

.PHONY: test-memory
test-memory: $(LIBRARIES)
	c-tests/controls.sh $(BUILD)/c-tests/controls include $(SHARED)
	RUN=c-tests/under-valgrind.sh c-tests/run.sh $(BUILD)/c-tests/memory include $(SHARED)

.PHONY: test-reference
test-reference: $(LIBRARIES)
	tests/reference/run.sh $(SHARED) $(BUILD)/reference "$(COUNT)" "$(SEED)"

# Root, on Debian or Ubuntu; SCENARIOS="name name" for some of them.
.PHONY: test-mta
test-mta: $(LIBRARIES) $(COMMAND) exim
	tests/mta/run $(SCENARIOS)
include c-tests/targets.mk

.PHONY: lint
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --release --package tlsrpt-clib --lib -- -D warnings
	$(CARGO) clippy --locked --release --package tlsrpt-exim --lib --features module -- -D warnings

.PHONY: lint-man
lint-man:
	CC='$(CC)' sh man/lint.sh

# ---- performance

BENCH_PROGRAM = $(RELEASE)/tlsrpt-bench

# The C library to measure beside ours: Debian's, or REFERENCE=path.
.PHONY: bench
bench: $(SHARED) bench-program
	reference="$(REFERENCE)"; \
	[ -n "$$reference" ] || reference=$$(find "$$(tests/reference/fetch.sh)" -name $(SONAME)); \
	$(BENCH_PROGRAM) all $(SHARED) "$$reference" --report docs/performance.md --chart docs/performance.svg

.PHONY: bench-check
bench-check: test-artefacts bench-program
	$(PYTHON) crates/bench/check.py $(BENCH_PROGRAM) $(SHARED)

.PHONY: bench-program
bench-program:
	$(CARGO) build --target-dir target --release --locked --package tlsrpt-bench

.PHONY: clean
clean:
	rm -rf $(BUILD)
	$(CARGO) clean
