//! The inputs of the fuzzer of that name. A program of its own: it looks at the descriptors of the process.

#[test]
fn inputs_worth_keeping() {
    tlsrpt_model::corpus::replay("any_calls", tlsrpt_model::any_calls::run);
}
