//! Compile errors of invalid structs. `TRYBUILD=overwrite` regenerates the expected messages.

#[test]
fn compile_errors_name_the_place_and_the_fix() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
