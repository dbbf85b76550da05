# ---- packages

.PHONY: dist
dist:
	packaging/dist.sh $(BUILD)/dist

# Root, on Debian or Ubuntu: builds the packages of Debian, RPM and Arch in Debian 13, and installs Debian's there.
.PHONY: test-packages
test-packages: $(LIBRARIES)
	tests/mta/run packages-debian packages-rpm packages-arch
