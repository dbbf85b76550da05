# The tests in C, and the fuzzers.

##@ Tests in C, and fuzzers
## test-c: use and misuse of the functions, with both libraries
.PHONY: test-c
test-c: $(LIBRARIES)
	c-tests/run.sh $(BUILD)/c-tests/shared include $(SHARED)
	c-tests/run.sh $(BUILD)/c-tests/static include $(STATIC)

# `make test` does not need C++ or a second compiler: test-headers uses them.
.PHONY: test-c-headers
test-c-headers: $(LIBRARIES)
	c-tests/links/headers.sh $(BUILD)/c-tests/headers include $(SHARED) $(CC)

## test-headers: the headers with gcc, clang and their C++
.PHONY: test-headers
test-headers: $(LIBRARIES)
	c-tests/links/headers.sh $(BUILD)/c-tests/headers include $(SHARED) "gcc clang" "g++ clang++"

## test-memory: the C tests under valgrind
.PHONY: test-memory
test-memory: $(LIBRARIES)
	c-tests/checkers/controls.sh $(BUILD)/c-tests/controls include $(SHARED)
	RUN=c-tests/checkers/under-valgrind.sh c-tests/run.sh $(BUILD)/c-tests/memory include $(SHARED)


THREADS = 8
EVENTS_OF_A_THREAD = 2000
# About a minute on two cores. `make soak SOAK_EVENTS=10000000` is the long form.
SOAK_EVENTS = 3000000
FUZZ_SECONDS = 20

## test-faults: faults of the caller, the system and the collector; test-root: those that need root
.PHONY: test-faults
test-faults: $(LIBRARIES)
	c-tests/run.sh $(BUILD)/c-tests/faults include $(SHARED) faults/faults faults/large faults/waits \
		surroundings/surroundings surroundings/unload 'threads/threads $(THREADS) $(EVENTS_OF_A_THREAD)'

.PHONY: test-root
test-root: $(LIBRARIES)
	c-tests/run.sh $(BUILD)/c-tests/root include $(SHARED) 'surroundings/surroundings root'
	$(CARGO_TEST) --package tlsrpt-socket --test as_root
	$(CARGO_TEST) --package tlsrpt-cli --test collecting --test resolving

## soak: SOAK_EVENTS events with flat memory: a minute, or 10000000 for the long form
.PHONY: soak
soak: $(LIBRARIES)
	c-tests/run.sh $(BUILD)/c-tests/soak include $(SHARED) 'soak/soak $(SOAK_EVENTS)'

## test-together: the C library and this one in one process; part of test-reference
.PHONY: test-together
test-together: $(LIBRARIES)
	sh c-tests/reference.sh together $(BUILD)/c-tests/together $(SHARED)
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir $(call quoted,$(TARGET_DIR)/model) --locked \
		-p tlsrpt-model --test both_libraries

test-reference: test-together

## survey-reference: shows the results of these tests with the C library
.PHONY: survey-reference
survey-reference:
	sh c-tests/reference.sh survey $(BUILD)/c-tests/survey

# The model of the C contract.
## test-model: properties of the encoder, and the corpus of the fuzzers
.PHONY: test-model
test-model:
	$(CARGO) test --manifest-path fuzz/Cargo.toml --target-dir $(call quoted,$(TARGET_DIR)/model) --locked -p tlsrpt-model \
		--test any_calls --test encoder_properties

## fuzz: all fuzzers, FUZZ_SECONDS each: 20, or 3600 for the long form
.PHONY: fuzz
fuzz:
	sh fuzz/run.sh any_calls $(FUZZ_SECONDS)
	sh fuzz/run.sh both_libraries $(FUZZ_SECONDS)
	sh fuzz/run.sh datagrams $(FUZZ_SECONDS)
	sh fuzz/run.sh received $(FUZZ_SECONDS)

## test-miri: the memory and the encoder under Miri; needs a nightly Rust with it: rustup component add miri rust-src
.PHONY: test-miri
test-miri:
	sh c-tests/checkers/miri.sh

## test-sanitizers: the C tests and the threads under the address, undefined behaviour and thread sanitizers
.PHONY: test-sanitizers
test-sanitizers:
	sh c-tests/checkers/sanitizers.sh $(BUILD)/c-tests/sanitizers
