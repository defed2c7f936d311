//! What an entry is about.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

proptest! {
    #[test]
    fn the_short_way_to_a_subject_is_the_same_as_the_long_one(
        pieces in prop::collection::vec(select(vec![
            "a", "Z", "9", "0x1", "xn--", "-", "_", ".", ".", "com", "co.uk", "github.io",
            "example", "192.0.2.7", ":", "::1", "/", "24", "%41", "\u{e9}", "*", " ",
        ]), 0..8),
    ) {
        let text = pieces.concat();
        prop_assert_eq!(Subject::read(&text), Subject::read_closely(&text), "{}", text);
    }
}

#[test]
fn suffixes_of_registries_and_of_companies_are_public() {
    for (host, of) in [
        ("co.uk", psl::Type::Icann),
        ("com.br", psl::Type::Icann),
        ("github.io", psl::Type::Private),
        ("s3.us-east-2.amazonaws.com", psl::Type::Private),
        ("ec2-192-0-2-1.compute-1.amazonaws.com", psl::Type::Private),
        ("xn--55qx5d.cn", psl::Type::Icann),
    ] {
        assert_eq!(public_suffix(host), Some(of), "{host}");
    }
    for host in ["bbc.co.uk", "a.internal", "example.com", "192.0.2.7"] {
        assert_eq!(public_suffix(host), None, "{host}");
    }
}

#[test]
fn examples_are_few_and_short_and_hold_no_control_characters() {
    let mut tally = Tally::default();
    for at in 1..=4 {
        tally.add(at, &"x\u{1b}[2J".repeat(40));
    }
    let told = tally.to_string();
    assert!(told.starts_with("4, the first at 1: x"), "{told}");
    assert!(told.len() < 500 && !told.contains('\u{1b}'), "{told}");
}
