# Builds, installs and tests the libraries and the command. `make help` lists the targets.

# Folders of the installation. DESTDIR is prepended to each.
PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
SHAREDIR = $(PREFIX)/share
MANDIR = $(SHAREDIR)/man
BINDIR = $(PREFIX)/bin
UNITDIR = $(PREFIX)/lib/systemd/system
SYSUSERSDIR = $(PREFIX)/lib/sysusers.d
TMPFILESDIR = $(PREFIX)/lib/tmpfiles.d

# The target triple of Rust; empty: that of this machine. CROSS is the prefix of the names of the other tools.
TARGET = $(CARGO_BUILD_TARGET)
CROSS =

ifneq ($(CROSS),)
CC = $(CROSS)gcc
LD = $(CROSS)ld
AR = $(CROSS)ar
NM = $(CROSS)nm
OBJCOPY = $(CROSS)objcopy
READELF = $(CROSS)readelf
else
NM = nm
OBJCOPY = objcopy
READELF = readelf
endif
CARGO = cargo
CFLAGS = -O2 -g
PYTHON = python3
# Empty: cargo may use other versions of the crates than those in Cargo.lock.
LOCKED = --locked
# Cargo's output. The libraries have a separate folder in it: see crates/clib/standalone.sh.
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)

# For the scripts.
export AR CARGO CC CFLAGS LD LDFLAGS NM OBJCOPY PYTHON READELF TARGET TARGET_DIR

BUILD = build
ifneq ($(words $(BUILD)),1)
$(error BUILD is "$(BUILD)": make cannot handle a name with spaces there; set a relative path)
endif
SONAME = libtlsrpt.so.0
# The level of the C interface. The version of the project is another number, in Cargo.toml.
INTERFACE = $(shell sed -n 's/^level!(\([0-9]*\), \([0-9]*\), \([0-9]*\), "\(.*\)");$$/\1.\2.\3\4/p' src/version.rs)
# The file has the name of the C library's file, so that it can also be installed by replacing that file.
REALNAME = $(SONAME).0.0
SHARED = $(BUILD)/$(REALNAME)
STATIC = $(BUILD)/libtlsrpt.a
LIBRARIES = $(SHARED) $(STATIC)
COMMAND = $(BUILD)/tlsrpt

# $(call quoted,TEXT): TEXT quoted as one word for the shell.
quoted = '$(subst ','\'',$(1))'
# $(call below,PATH): the path below DESTDIR, quoted as one word for the shell.
below = $(call quoted,$(DESTDIR)$(1))
# $(call put,MODE,SOURCE,FILE): installs one file, and its folder before it.
put = install -d "$$(dirname $(call below,$(3)))" && install -m $(1) $(2) $(call below,$(3))
# $(call prune,FOLDER): removes an installed folder if it is empty. Several parts may share it.
prune = rmdir $(call below,$(1)) 2>/dev/null || true
# $(call filled,NAME,VALUE): a command of sed that replaces @NAME@ with the value.
comma = ,
filled = $(call quoted,s$(comma)@$(1)@$(comma)$(subst $(comma),\$(comma),$(subst &,\&,$(subst \,\\,$(2))))$(comma)g)
# With -n, make still runs lines that contain $(MAKE). It only prints lines that contain this variable.
MAKE_PROGRAM = $(MAKE)

##@ Build
## all: the libraries and the command, in build/ (the default)
.PHONY: all
all: library command

## library: libtlsrpt.so and libtlsrpt.a, from libc's crate alone; LOCKED= takes the libc crate that is at hand
.PHONY: library
library: $(LIBRARIES)

## command: the command tlsrpt and its completions
.PHONY: command
command: $(COMMAND)

CRATES = $(wildcard Cargo.toml Cargo.lock src/*.rs src/*/*.rs $(foreach crate,$(1),crates/$(crate)/Cargo.toml \
	crates/$(crate)/src/*.rs crates/$(crate)/src/*/*.rs crates/$(crate)/src/*/*/*.rs))
LIBRARY_TARGET_DIR = $(TARGET_DIR)/library
# The subfolder of cargo's output for a target.
OUTPUT = $(if $(TARGET),$(TARGET)/)

# Remove the output of an earlier build first: if cargo writes to another folder, the copy below must fail.
$(SHARED): $(call CRATES,clib) crates/clib/standalone.sh crates/cargo.sh
	rm -f $(call quoted,$(LIBRARY_TARGET_DIR)/$(OUTPUT)release/libtlsrpt.so) \
		$(call quoted,$(LIBRARY_TARGET_DIR)/$(OUTPUT)release/libtlsrpt.a)
	crates/clib/standalone.sh $(BUILD)/library $(if $(LOCKED),,any)
	TARGET_DIR=$(call quoted,$(LIBRARY_TARGET_DIR)) crates/cargo.sh --c-library rustc \
		--manifest-path $(BUILD)/library/Cargo.toml --release $(LOCKED) --lib -- \
		-C link-arg=-Wl,-soname,$(SONAME) -C link-arg=-Wl,-z,defs -C link-arg=-nostartfiles
	cp $(call quoted,$(LIBRARY_TARGET_DIR)/$(OUTPUT)release/libtlsrpt.so) $@
	ln -sf $(REALNAME) $(BUILD)/$(SONAME)
	ln -sf $(SONAME) $(BUILD)/libtlsrpt.so

$(STATIC): $(SHARED) crates/clib/archive.sh
	crates/clib/archive.sh $(call quoted,$(LIBRARY_TARGET_DIR)/$(OUTPUT)release/libtlsrpt.a) $(SHARED) $@

COMMAND_OUTPUT = $(TARGET_DIR)/$(OUTPUT)command/tlsrpt
# The command for this machine, which writes the completions where the other one does not run.
NATIVE_COMMAND = $(TARGET_DIR)/command/tlsrpt

$(COMMAND): $(call CRATES,*) crates/cargo.sh
	rm -f $(call quoted,$(COMMAND_OUTPUT)) $(call quoted,$(NATIVE_COMMAND))
	mkdir -p $(BUILD)
	crates/cargo.sh build --profile command $(LOCKED) --package tlsrpt-cli
	cp $(call quoted,$(COMMAND_OUTPUT)) $@
	command=$@; $$command --version >/dev/null 2>&1 || { \
		env -u CC -u CFLAGS -u LDFLAGS -u RUSTFLAGS TARGET= crates/cargo.sh build --profile command $(LOCKED) --package tlsrpt-cli || exit; \
		command=$(call quoted,$(NATIVE_COMMAND)); \
	}; \
	for shell in bash zsh fish; do "$$command" completions $$shell >$(BUILD)/completion.$$shell || exit; done

## header: writes the generated files anew: headers and parts of the manual pages
.PHONY: header
header:
	WRITE_GENERATED=1 $(CARGO) test --quiet --locked --package tlsrpt-tests --test generated_files
	WRITE_GENERATED=1 $(CARGO) test --quiet --locked --package tlsrpt-config generated_files

## clean: removes what was built
.PHONY: clean
clean:
	rm -rf ./$(BUILD)
	$(CARGO) clean

## demo: shows the whole way, from two C programs to the report that a domain gets
.PHONY: demo
demo:
	@MAKE=$(call quoted,$(MAKE_PROGRAM)) LIBDIR=$(call quoted,$(LIBDIR)) INCLUDEDIR=$(call quoted,$(INCLUDEDIR)) \
		BINDIR=$(call quoted,$(BINDIR)) sh examples/demo.sh

## help: lists the targets
.PHONY: help
help:
	@awk '/^##@ / { print (NR > 1 ? "\n" : "") substr($$0, 5) } \
		/^## [a-z-]+: / { name = $$2; sub(/^## [a-z-]+: /, ""); printf "  %-19s %s\n", substr(name, 1, length(name) - 1), $$0 } \
		/^##   / { sub(/^## +/, ""); printf "  %-19s %s\n", "", $$0 }' $(MAKEFILE_LIST)

include packaging/install.mk
include crates/exim/exim.mk
include crates/sendmail/sendmail.mk
include tests/targets.mk
include c-tests/targets.mk
