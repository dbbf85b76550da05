# What Sendmail needs besides the command: the m4 rules and the systemd units.

##@ Sendmail
SENDMAIL_RULES = $(SHAREDIR)/tlsrpt/sendmail/tlsrpt.m4
SENDMAIL_SERVICE = $(UNITDIR)/tlsrpt-sendmail.service
SENDMAIL_SOCKET = $(UNITDIR)/tlsrpt-sendmail.socket

## install-sendmail: the rules and the service for Sendmail; the service runs the command of `make install-command`
.PHONY: install-sendmail
install-sendmail:
	$(call put,644,packaging/systemd/tlsrpt-sendmail.socket,$(SENDMAIL_SOCKET))
	$(call put,644,/dev/null,$(SENDMAIL_RULES))
	sed $(call filled,M4,$(SENDMAIL_RULES)) crates/sendmail/tlsrpt.m4.in >$(call below,$(SENDMAIL_RULES))
	$(call put,644,/dev/null,$(SENDMAIL_SERVICE))
	sed $(call filled,BINDIR,$(BINDIR)) packaging/systemd/tlsrpt-sendmail.service.in >$(call below,$(SENDMAIL_SERVICE))

## uninstall-sendmail: removes them
.PHONY: uninstall-sendmail
uninstall-sendmail:
	rm -f $(call below,$(SENDMAIL_RULES)) $(call below,$(SENDMAIL_SERVICE)) $(call below,$(SENDMAIL_SOCKET))
	$(call prune,$(SHAREDIR)/tlsrpt/sendmail)
	$(call prune,$(SHAREDIR)/tlsrpt)
