# Installation and packages.

##@ Installation, with DESTDIR PREFIX LIBDIR PCDIR INCLUDEDIR SHAREDIR MANDIR BINDIR UNITDIR SYSUSERSDIR TMPFILESDIR EXIMLIBDIR
## install: the library and the command
.PHONY: install
install: install-library install-command

## uninstall: removes what `make install` installs
.PHONY: uninstall
uninstall: uninstall-command uninstall-library

# Installing writes nothing into the checkout, so root can install a build of another user.

## install-library: the libraries, the headers, libtlsrpt.pc and the manual pages of section 3
.PHONY: install-library
install-library: $(LIBRARIES)
	install -d $(call below,$(LIBDIR)) $(call below,$(PCDIR)) $(call below,$(INCLUDEDIR)) $(call below,$(MANDIR)/man3)
	install -m 644 $(SHARED) $(STATIC) $(call below,$(LIBDIR))
	ln -sf $(REALNAME) $(call below,$(LIBDIR)/$(SONAME))
	ln -sf $(SONAME) $(call below,$(LIBDIR)/libtlsrpt.so)
	install -m 644 $(HEADERS:%=include/%) $(call below,$(INCLUDEDIR))
	install -m 644 man/*.3 $(call below,$(MANDIR)/man3)
	install -m 644 /dev/null $(call below,$(PC_FILE))
	sed -e $(call filled,PREFIX,$(PREFIX)) -e $(call filled,LIBDIR,$(LIBDIR)) -e $(call filled,INCLUDEDIR,$(INCLUDEDIR)) \
		-e $(call filled,VERSION,$(INTERFACE)) pkgconfig/libtlsrpt.pc.in >$(call below,$(PC_FILE))
	[ -n $(call quoted,$(DESTDIR)) ] || ldconfig 2>/dev/null || true

HEADERS = tlsrpt.h tlsrpt_version.h
# Where pkg-config looks; on FreeBSD $(PREFIX)/libdata/pkgconfig.
PCDIR = $(LIBDIR)/pkgconfig
PC_FILE = $(PCDIR)/libtlsrpt.pc

.PHONY: uninstall-library
uninstall-library:
	for name in $(REALNAME) $(SONAME) libtlsrpt.so $(notdir $(STATIC)); do rm -f $(call below,$(LIBDIR))/"$$name"; done
	for name in $(HEADERS); do rm -f $(call below,$(INCLUDEDIR))/"$$name"; done
	for page in man/*.3; do rm -f $(call below,$(MANDIR)/man3)/"$${page##*/}"; done
	rm -f $(call below,$(PC_FILE))

## install-command: the command, its manual pages, an example of its configuration, its completions and its services
.PHONY: install-command
install-command: $(COMMAND)
	$(call put,755,$(COMMAND),$(BINDIR)/tlsrpt)
	$(call put,644,man/tlsrpt.1,$(MANDIR)/man1/tlsrpt.1)
	$(call put,644,man/tlsrpt.toml.5,$(MANDIR)/man5/tlsrpt.toml.5)
	$(call put,644,packaging/tlsrpt.toml,$(EXAMPLE_FILE))
	$(call put,644,$(BUILD)/completion.bash,$(BASH_COMPLETION))
	$(call put,644,$(BUILD)/completion.zsh,$(ZSH_COMPLETION))
	$(call put,644,$(BUILD)/completion.fish,$(FISH_COMPLETION))
	$(call put,644,packaging/systemd/tlsrpt.socket,$(COLLECT_SOCKET))
	for drop_in in $(DROP_INS); do \
		install -m 644 packaging/systemd/$$drop_in $(call below,$(SHAREDIR)/tlsrpt)/$$drop_in || exit; \
	done
	$(call put,644,packaging/systemd/sysusers.conf,$(USERS_FILE))
	$(call put,644,packaging/systemd/tmpfiles.conf,$(STORE_FILE))
	for service in $(COMMAND_SERVICES); do \
		install -m 644 /dev/null $(call below,$(UNITDIR))/$$service || exit; \
		sed -e $(call filled,BINDIR,$(BINDIR)) packaging/systemd/$$service.in >$(call below,$(UNITDIR))/$$service || exit; \
	done

BASH_COMPLETION = $(SHAREDIR)/bash-completion/completions/tlsrpt
ZSH_COMPLETION = $(SHAREDIR)/zsh/site-functions/_tlsrpt
FISH_COMPLETION = $(SHAREDIR)/fish/vendor_completions.d/tlsrpt.fish
EXAMPLE_FILE = $(SHAREDIR)/tlsrpt/tlsrpt.toml
COLLECT_SOCKET = $(UNITDIR)/tlsrpt.socket
# For tlsrpt.socket.
DROP_INS = postfix-queue.conf exim.conf sendmail.conf
USERS_FILE = $(SYSUSERSDIR)/tlsrpt.conf
STORE_FILE = $(TMPFILESDIR)/tlsrpt.conf
COMMAND_SERVICES = tlsrpt-listen.service tlsrpt-collect.service tlsrpt-deliver.service

# Refuses while Sendmail's service is installed: Sendmail defers mail while its map has no server.
.PHONY: uninstall-command
uninstall-command:
	@[ ! -e $(call below,$(SENDMAIL_SERVICE)) ] || { \
		echo $(call below,$(SENDMAIL_SERVICE))" runs "$(call below,$(BINDIR)/tlsrpt)": take tlsrpt.m4 out of sendmail.mc," \
			"run make uninstall-sendmail, then make uninstall" >&2; \
		exit 1; \
	}
	rm -f $(call below,$(BINDIR)/tlsrpt) $(call below,$(MANDIR)/man1/tlsrpt.1) $(call below,$(MANDIR)/man5/tlsrpt.toml.5) \
		$(call below,$(EXAMPLE_FILE)) $(call below,$(BASH_COMPLETION)) $(call below,$(ZSH_COMPLETION)) \
		$(call below,$(FISH_COMPLETION)) $(call below,$(COLLECT_SOCKET)) $(call below,$(USERS_FILE)) $(call below,$(STORE_FILE))
	for drop_in in $(DROP_INS); do rm -f $(call below,$(SHAREDIR)/tlsrpt)/$$drop_in; done
	for service in $(COMMAND_SERVICES); do rm -f $(call below,$(UNITDIR))/$$service; done
	$(call prune,$(SHAREDIR)/tlsrpt)

##@ Packages
## static: the command as one file for any Linux, build/tlsrpt-static; needs Rust's library for musl, and musl-gcc
.PHONY: static
static: $(BUILD)/tlsrpt-static

$(BUILD)/tlsrpt-static: $(call CRATES,*) crates/cargo.sh packaging/static.sh
	LOCKED=$(LOCKED) packaging/static.sh $@

## dist: the source tarball for packages, with the crates, in build/dist/
.PHONY: dist
dist:
	packaging/dist.sh $(BUILD)/dist $(INTERFACE)

## licences: writes LICENSE.dependencies anew, from Cargo.lock
.PHONY: licences
licences:
	$(PYTHON) packaging/licences.py

## test-packages: builds the packages of Debian, RPM and Arch in Debian 13, and installs Debian's there; root, on Debian
.PHONY: test-packages
test-packages: test-installed
	tests/mta/run packages-debian packages-rpm packages-arch packages-cross

## test-installed: packages of what is built here: Debian's in booted systems, through upgrades and removals while mails flow, and
##   with autopkgtest; lintian and rpmlint; root, on Debian
.PHONY: test-installed
test-installed: $(LIBRARIES) $(COMMAND) exim
	tests/mta/run packages-installed packages-autopkgtest packed-debian packed-rpm packed-arch
