# The targets of docs/reliability.md. Included by the Makefile above this folder.

PROBES = $(BUILD)/reliability
PROBE_NAMES = faults large surroundings threads unload waits soak
PROBE_HEADERS = reliability/*.h include/*.h
PROBE_FLAGS = -Wall -Wextra -Werror -Iinclude
THREADS = 8
EVENTS_OF_A_THREAD = 2000
# About a minute on two cores. `make soak SOAK_EVENTS=10000000` is the long form.
SOAK_EVENTS = 2000000

$(PROBES)/libinterposer.so: reliability/interposer.c $(PROBE_HEADERS)
	mkdir -p $(PROBES)
	$(CC) $(CFLAGS) $(PROBE_FLAGS) -fno-builtin -fPIC -shared -o $@ reliability/interposer.c

# The interposer comes before libc in the order in which the loader looks functions up.
$(PROBES)/faults $(PROBES)/large: $(PROBES)/%: reliability/%.c $(PROBE_HEADERS) $(PROBES)/libinterposer.so
	$(CC) $(CFLAGS) $(PROBE_FLAGS) -pthread -o $@ $< -L$(PROBES) -linterposer -Wl,-rpath,'$$ORIGIN' -ldl

$(PROBES)/%: reliability/%.c $(PROBE_HEADERS)
	mkdir -p $(PROBES)
	$(CC) $(CFLAGS) $(PROBE_FLAGS) -pthread -o $@ $< -ldl

.PHONY: probes
probes: $(LIBRARIES) $(addprefix $(PROBES)/,$(PROBE_NAMES))

# Whatever the caller, the machine or the collector does. Each prints how many cases it tried.
.PHONY: test-faults
test-faults: probes
	$(PROBES)/faults $(SHARED)
	$(PROBES)/large $(SHARED)
	$(PROBES)/surroundings $(SHARED)
	$(PROBES)/threads $(SHARED) $(THREADS) $(EVENTS_OF_A_THREAD)
	$(PROBES)/unload $(SHARED)
	$(PROBES)/waits $(SHARED)

# What only root can set up.
.PHONY: test-root
test-root: probes
	$(PROBES)/surroundings $(SHARED) root

# The same with the C library beside ours, or in its place.
.PHONY: test-faults-reference
test-faults-reference: probes
	sh reliability/reference.sh $(PROBES) $(SHARED)

.PHONY: soak
soak: probes
	$(PROBES)/soak $(SHARED) $(SOAK_EVENTS)
