# What connects mail servers that do not know the library.

# ---- Exim

# Where Debian's Exim has what it loads.
EXIMLIBDIR = $(PREFIX)/lib/exim4
EXIM_MODULE = $(BUILD)/tlsrpt-exim.so
EXIM_CONFIGURATION = $(SHAREDIR)/tlsrpt-exim/tlsrpt.conf

.PHONY: exim
exim: $(EXIM_MODULE) $(BUILD)/tlsrpt.conf

$(EXIM_MODULE): $(SOURCES) crates/exim/Cargo.toml crates/exim/src/*.rs
	$(CARGO) rustc --target-dir target --release --locked --package tlsrpt-exim --lib --features module \
		--crate-type cdylib -- -C link-arg=-Wl,-soname,$(@F) -C link-arg=-Wl,-z,defs -C link-arg=-nostartfiles
	mkdir -p $(BUILD)
	cp $(RELEASE)/libtlsrpt_exim.so $@

.PHONY: $(BUILD)/tlsrpt.conf
$(BUILD)/tlsrpt.conf:
	mkdir -p $(BUILD)
	sed -e 's,@MODULE@,$(EXIMLIBDIR)/$(notdir $(EXIM_MODULE)),' -e 's,@CONFIGURATION@,$(EXIM_CONFIGURATION),' \
		crates/exim/tlsrpt.conf.in >$@

.PHONY: install-exim
install-exim: exim
	install -d $(DESTDIR)$(EXIMLIBDIR) $(DESTDIR)$(dir $(EXIM_CONFIGURATION))
	install -m 644 $(EXIM_MODULE) $(DESTDIR)$(EXIMLIBDIR)
	install -m 644 $(BUILD)/tlsrpt.conf $(DESTDIR)$(EXIM_CONFIGURATION)

# ---- Sendmail

SENDMAIL = crates/sendmail
SENDMAIL_RULES = $(SHAREDIR)/tlsrpt/sendmail/tlsrpt.m4

.PHONY: install-sendmail
install-sendmail:
	install -d $(DESTDIR)$(dir $(SENDMAIL_RULES)) $(DESTDIR)$(UNITDIR)
	sed 's,@M4@,$(SENDMAIL_RULES),' $(SENDMAIL)/tlsrpt.m4.in >$(DESTDIR)$(SENDMAIL_RULES)
	install -m 644 $(SENDMAIL)/tlsrpt-sendmail.socket $(DESTDIR)$(UNITDIR)
	sed 's,@BINDIR@,$(BINDIR),' $(SENDMAIL)/tlsrpt-sendmail.service.in >$(DESTDIR)$(UNITDIR)/tlsrpt-sendmail.service
	chmod 644 $(DESTDIR)$(SENDMAIL_RULES) $(DESTDIR)$(UNITDIR)/tlsrpt-sendmail.service

# ---- any other server

.PHONY: test-integrations
test-integrations: $(LIBRARIES) $(EXIM_MODULE)
	crates/exim/check.sh $(EXIM_MODULE)
	mkdir -p $(BUILD)/integrations
	$(CC) $(CFLAGS) -std=c11 -pedantic -Wall -Wextra -Werror -Iinclude -o $(BUILD)/integrations/one_policy \
		examples/one_policy.c $(SHARED) -Wl,-rpath,$(CURDIR)/$(BUILD)
	$(CARGO) build --target-dir target --locked --example several_policies
	$(PYTHON) examples/check.py $(BUILD)/integrations/one_policy target/debug/examples/several_policies
