# ---- packages

.PHONY: dist
dist:
	packaging/dist.sh $(BUILD)/dist
