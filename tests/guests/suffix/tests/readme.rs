//! The SDK's README shows the test of this filter. A test in documentation is not run there; this one is run here.

#[test]
fn the_readme_shows_the_test_that_runs_here() {
    let readme = include_str!("../../../../sdk/README.md");
    let source = include_str!("../src/lib.rs");
    let (_, test) = source.split_once("#[cfg(test)]").unwrap();
    assert!(readme.contains(test));
}
