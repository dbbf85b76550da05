# What connects mail servers that do not know the library.

##@ Integrations
# Where Debian's Exim has its modules.
EXIMLIBDIR = $(PREFIX)/lib/exim4
EXIM_MODULE = $(BUILD)/tlsrpt-exim.so
EXIM_CONFIGURATION = $(SHAREDIR)/tlsrpt-exim/tlsrpt.conf
EXIM_OUTPUT = $(TARGET_DIR)/$(OUTPUT)release/libtlsrpt_exim.so

## exim: the module for Exim, in build/
.PHONY: exim
exim: $(EXIM_MODULE)

$(EXIM_MODULE): $(call CRATES,exim) crates/cargo.sh
	rm -f $(call quoted,$(EXIM_OUTPUT))
	crates/cargo.sh --c-library rustc --release $(LOCKED) --package tlsrpt-exim --lib --features module \
		--crate-type cdylib -- -C link-arg=-Wl,-soname,$(@F) -C link-arg=-Wl,-z,defs -C link-arg=-nostartfiles
	mkdir -p $(BUILD)
	cp $(call quoted,$(EXIM_OUTPUT)) $@

## install-exim: the module for Exim and its configuration
.PHONY: install-exim
install-exim: exim
	install -d $(call below,$(EXIMLIBDIR)) $(call below,$(patsubst %/,%,$(dir $(EXIM_CONFIGURATION))))
	install -m 644 $(EXIM_MODULE) $(call below,$(EXIMLIBDIR))
	install -m 644 /dev/null $(call below,$(EXIM_CONFIGURATION))
	sed -e $(call filled,MODULE,$(EXIMLIBDIR)/$(notdir $(EXIM_MODULE))) -e $(call filled,CONFIGURATION,$(EXIM_CONFIGURATION)) \
		crates/exim/tlsrpt.conf.in >$(call below,$(EXIM_CONFIGURATION))

## uninstall-exim: removes them
.PHONY: uninstall-exim
uninstall-exim:
	rm -f $(call below,$(EXIMLIBDIR)/$(notdir $(EXIM_MODULE))) $(call below,$(EXIM_CONFIGURATION))
	[ ! -d $(call below,$(SHAREDIR)/tlsrpt-exim) ] || rmdir $(call below,$(SHAREDIR)/tlsrpt-exim)

SENDMAIL = crates/sendmail
SENDMAIL_RULES = $(SHAREDIR)/tlsrpt/sendmail/tlsrpt.m4
SENDMAIL_SERVICE = $(UNITDIR)/tlsrpt-sendmail.service
SENDMAIL_SOCKET = $(UNITDIR)/tlsrpt-sendmail.socket

## install-sendmail: the rules and the service for Sendmail; the service runs the command of `make install-command`
.PHONY: install-sendmail
install-sendmail:
	install -d $(call below,$(patsubst %/,%,$(dir $(SENDMAIL_RULES)))) $(call below,$(UNITDIR))
	install -m 644 packaging/systemd/tlsrpt-sendmail.socket $(call below,$(SENDMAIL_SOCKET))
	install -m 644 /dev/null $(call below,$(SENDMAIL_RULES))
	sed $(call filled,M4,$(SENDMAIL_RULES)) $(SENDMAIL)/tlsrpt.m4.in >$(call below,$(SENDMAIL_RULES))
	install -m 644 /dev/null $(call below,$(SENDMAIL_SERVICE))
	sed $(call filled,BINDIR,$(BINDIR)) packaging/systemd/tlsrpt-sendmail.service.in >$(call below,$(SENDMAIL_SERVICE))

## uninstall-sendmail: removes them
.PHONY: uninstall-sendmail
uninstall-sendmail:
	rm -f $(call below,$(SENDMAIL_RULES)) $(call below,$(SENDMAIL_SERVICE)) $(call below,$(SENDMAIL_SOCKET))
	for folder in sendmail ''; do \
		[ ! -d $(call below,$(SHAREDIR)/tlsrpt)/"$$folder" ] || rmdir $(call below,$(SHAREDIR)/tlsrpt)/"$$folder"; \
	done
