//! Structs that stand for no class, and what the compiler says about them. `TRYBUILD=overwrite` writes the messages anew.

#[test]
fn each_mistake_is_told_with_its_place_and_what_would_be_right() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
