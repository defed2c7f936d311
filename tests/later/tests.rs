//! What a filter can do with a proxy of the later version that is for tests alone. `make later`
//! puts this file among the tests of a tree that speaks it.

use std::fs;
use std::path::Path;

use portcullis_tests::{guests, kept};

#[tokio::test]
async fn a_filter_for_the_later_version_uses_what_it_adds() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("later/filter.wat");
    let text = fs::read_to_string(&file).unwrap();
    let filter = guests::kept(&text, include_str!("../../sdk/wit/filter.wit"));
    let found = kept::assert_answers(&file, &filter).await;
    assert_eq!(found.contract.as_deref(), Some("1.1.0"));
}
