//! Why a filter does not get what it wants besides its verdict: each reason is told, whatever was
//! told before.

use portcullis_tests::{Log, Stage, guests};

use super::{NOTE, note};

#[tokio::test]
async fn each_reason_for_which_a_note_is_not_kept_is_told() {
    let work = [note(0, 65, 1), note(0, 1, 1025)].concat();
    let guest = guests::straight_line(NOTE, &work);
    let stage = Stage::beside_neighbour("jots-badly", &guest, "").await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 200); 2]).await;
    let dropped = "a note of the filter is not kept";
    for says in [
        "its key has not 1 to 64 of the characters a-z, 0-9 and _",
        "its value has more than 1024 bytes",
    ] {
        log.says(&["WARN", "jots-badly", dropped, says]).await;
    }
    assert_eq!(log.count(&["jots-badly", dropped]), 0);
}

/// More room in the state would not help.
#[tokio::test]
async fn a_key_that_is_too_long_is_told_with_its_limit() {
    let import = r#"(import "portcullis:filter/state@1.0.0" "remove"
        (func $remove (param i32 i32 i32)))"#;
    let work = "(call $remove (i32.const 4096) (i32.const 1025) (i32.const 512))";
    let guest = guests::straight_line(import, work);
    let stage = Stage::beside_neighbour("long-key", &guest, "[grants]\nstate = true").await;
    let mut log = Log::follow();
    stage.answers(&[("x.example", 200); 2]).await;
    let says = "a key has at most 1024 bytes, and this one 1025";
    log.says(&["WARN", "long-key", "no such key", says]).await;
    assert_eq!(log.count(&["long-key", says]), 0);
}
