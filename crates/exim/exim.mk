# The module for Exim and its configuration snippet.

##@ Exim
# Where Debian's Exim keeps its modules.
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
	$(call put,644,$(EXIM_MODULE),$(EXIMLIBDIR)/$(notdir $(EXIM_MODULE)))
	$(call put,644,/dev/null,$(EXIM_CONFIGURATION))
	sed -e $(call filled,MODULE,$(EXIMLIBDIR)/$(notdir $(EXIM_MODULE))) -e $(call filled,CONFIGURATION,$(EXIM_CONFIGURATION)) \
		crates/exim/tlsrpt.conf.in >$(call below,$(EXIM_CONFIGURATION))

## uninstall-exim: removes them
.PHONY: uninstall-exim
uninstall-exim:
	rm -f $(call below,$(EXIMLIBDIR)/$(notdir $(EXIM_MODULE))) $(call below,$(EXIM_CONFIGURATION))
	$(call prune,$(SHAREDIR)/tlsrpt-exim)
