# The tests that are programs in C, and the fuzzers.

##@ Tests in C, and fuzzers
## test-c: use and misuse of the functions, with both libraries
.PHONY: test-c
test-c: $(LIBRARIES)
	c-tests/run.sh $(BUILD)/c-tests/shared include $(SHARED)
	c-tests/run.sh $(BUILD)/c-tests/static include $(STATIC)

# C++ and a second compiler are not among what `make test` needs: test-headers has them.
.PHONY: test-c-headers
test-c-headers: $(LIBRARIES)
	c-tests/headers.sh $(BUILD)/c-tests/headers include $(SHARED) $(CC)

## test-headers: the headers with gcc, clang and their C++
.PHONY: test-headers
test-headers: $(LIBRARIES)
	c-tests/headers.sh $(BUILD)/c-tests/headers include $(SHARED) "gcc clang" "g++ clang++"

## test-memory: the C tests under valgrind
.PHONY: test-memory
test-memory: $(LIBRARIES)
	c-tests/controls.sh $(BUILD)/c-tests/controls include $(SHARED)
	RUN=c-tests/under-valgrind.sh c-tests/run.sh $(BUILD)/c-tests/memory include $(SHARED)

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

## test-faults: whatever the caller, the machine or the collector does; test-root: what only root can set up
.PHONY: test-faults
test-faults: probes
	$(PROBES)/faults $(SHARED)
	$(PROBES)/large $(SHARED)
	$(PROBES)/surroundings $(SHARED)
	$(PROBES)/threads $(SHARED) $(THREADS) $(EVENTS_OF_A_THREAD)
	$(PROBES)/unload $(SHARED)
	$(PROBES)/waits $(SHARED)

.PHONY: test-root
test-root: probes
	$(PROBES)/surroundings $(SHARED) root
	$(CARGO) test --locked --package tlsrpt-socket --test as_root

## test-together: the C library and this one in one process; part of test-reference
.PHONY: test-together
test-together: probes
	sh c-tests/reference.sh together $(PROBES) $(SHARED)
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir $(call quoted,$(TARGET_DIR)/model) --locked -p tlsrpt-model --test both_libraries

test-reference: test-together

## survey-reference: what the C library does in these tests
.PHONY: survey-reference
survey-reference: probes
	sh c-tests/reference.sh survey $(PROBES) $(SHARED)

## soak: SOAK_EVENTS events with flat memory: a minute, or 10000000 for the long form
.PHONY: soak
soak: probes
	$(PROBES)/soak $(SHARED) $(SOAK_EVENTS)

# The C contract as a model.
## test-model: properties of the encoder, and the inputs that the fuzzers found worth keeping
.PHONY: test-model
test-model:
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir $(call quoted,$(TARGET_DIR)/model) --locked -p tlsrpt-model \
		--test any_calls --test encoder_properties

## fuzz: both fuzzers, FUZZ_SECONDS each: 20, or 3600 for the long form
.PHONY: fuzz
fuzz:
	sh fuzz/run.sh any_calls $(FUZZ_SECONDS)
	sh fuzz/run.sh both_libraries $(FUZZ_SECONDS)

## test-sanitizers: the C tests and the threads under the address, undefined behaviour and thread sanitizers
.PHONY: test-sanitizers
test-sanitizers:
	sh c-tests/sanitizers.sh $(PROBES)/sanitizers
