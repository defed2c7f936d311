//! Files of hits, damaged so that no checksum tells.

use super::text;
use crate::feeds::snapshot::{Builder, Key, Snapshot, seal_hits};
use crate::fuzz::snapshots::apply;
use crate::verdict::rule::{Covers, Rule};

/// Lines that are names of a list, each of which decides as often as it stands there, and, behind
/// `---`, how the file of its hits is damaged. A file that is whole says what was counted. A
/// damaged one is refused, or says what could have been counted.
pub fn hits(data: &[u8]) {
    let data = text(data);
    let (names, damage) = data.split_once("---").unwrap_or((&data, ""));
    let names: Vec<&str> = names.lines().collect();
    let key = Key::random();
    let counted = list(&names, key);
    for name in &names {
        if let Some(found) = counted.find(name) {
            found.hit().count();
        }
    }
    let mut bytes = Vec::new();
    let save = |saved: &[u8]| {
        bytes = saved.to_vec();
        Ok(())
    };
    counted
        .save_hits(save)
        .expect("memory takes what is written");
    if bytes.is_empty() {
        assert_eq!(counted.all_hits(), 0);
        return;
    }
    assert!(bytes.len() <= counted.longest_hits());
    let restored = list(&names, key);
    restored
        .restore_hits(&bytes)
        .expect("the file was written as it is");
    assert_eq!(known(&restored), known(&counted));

    for line in damage.lines() {
        apply(line, &mut bytes);
    }
    seal_hits(&mut bytes);
    let damaged = list(&names, key);
    match damaged.restore_hits(&bytes) {
        Ok(()) => assert!(damaged.matched() <= damaged.len()),
        Err(error) => {
            assert!(!error.to_string().contains(|c: char| c.is_control()));
            assert_eq!((damaged.all_hits(), damaged.matched()), (0, 0));
        }
    }
    let _ = known(&damaged);
}

fn list(names: &[&str], key: Key) -> Snapshot {
    let mut builder = Builder::new(key, false);
    for (name, line) in names.iter().zip(1..) {
        let rules = Rule::listed(Covers::Both).into();
        builder.add(name, rules, line, name).expect("it is short");
    }
    builder.finish().into()
}

fn known(list: &Snapshot) -> (u64, usize, Vec<(String, u32, u32)>) {
    let top = list.most_frequent(usize::MAX).into_iter();
    let top = top.map(|(found, number)| (found.rule(), found.line, number));
    (list.all_hits(), list.matched(), top.collect())
}
