# The targets of docs/reliability.md. Included by the Makefile above this folder.

PROBES = $(BUILD)/reliability
PROBE_NAMES = faults large surroundings threads unload waits soak
PROBE_HEADERS = c-tests/*.h include/*.h
PROBE_FLAGS = -Wall -Wextra -Werror -Iinclude
THREADS = 8
EVENTS_OF_A_THREAD = 2000
# About a minute on two cores. `make soak SOAK_EVENTS=10000000` is the long form.
SOAK_EVENTS = 3000000
FUZZ_SECONDS = 20

$(PROBES)/libinterposer.so: c-tests/interposer.c $(PROBE_HEADERS)
	mkdir -p $(PROBES)
	$(CC) $(CFLAGS) $(PROBE_FLAGS) -fno-builtin -fPIC -shared -o $@ c-tests/interposer.c

# The interposer comes before libc in the order in which the loader looks functions up.
$(PROBES)/faults $(PROBES)/large: $(PROBES)/%: c-tests/%.c $(PROBE_HEADERS) $(PROBES)/libinterposer.so
	$(CC) $(CFLAGS) $(PROBE_FLAGS) -pthread -o $@ $< -L$(PROBES) -linterposer -Wl,-rpath,'$$ORIGIN' -ldl

$(PROBES)/%: c-tests/%.c $(PROBE_HEADERS)
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

# Both libraries in one process, and the answers of both to the same calls.
.PHONY: test-together
test-together: probes
	sh c-tests/reference.sh together $(PROBES) $(SHARED)
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir target/model --locked -p tlsrpt-model --test both_libraries

test-reference: test-together

# What the C library does in our library's place: told, not judged.
.PHONY: survey-reference
survey-reference: probes
	sh c-tests/reference.sh survey $(PROBES) $(SHARED)

.PHONY: soak
soak: probes
	$(PROBES)/soak $(SHARED) $(SOAK_EVENTS)

# The contract as a model: properties of the encoder, and what the fuzzers found worth keeping.
.PHONY: test-model
test-model:
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir target/model --locked -p tlsrpt-model \
		--test any_calls --test encoder_properties

# Both fuzzers, FUZZ_SECONDS each. `make fuzz FUZZ_SECONDS=3600` is the long form.
.PHONY: fuzz
fuzz:
	sh fuzz/run.sh any_calls $(FUZZ_SECONDS)
	sh fuzz/run.sh both_libraries $(FUZZ_SECONDS)

.PHONY: test-sanitizers
test-sanitizers:
	sh c-tests/sanitizers.sh $(PROBES)/sanitizers

.PHONY: test-reproducible
test-reproducible:
	sh tests/reproducible.sh

.PHONY: audit
audit:
	sh tests/audit.sh

.PHONY: lint-model
lint-model:
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --all --check
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --target-dir target/model --locked -p tlsrpt-model --all-targets \
		-- -D warnings

lint: lint-model
