//! What lists find, and that their files say the same.

mod model;

use super::*;
use crate::verdict::rule::{Covers, Rule};

fn snapshot(rules: &[(&str, Rule)]) -> Snapshot {
    let mut builder = Builder::new(Key::random(), false);
    for ((name, rule), line) in rules.iter().zip(1..) {
        builder.add(name, (*rule).into(), line, name).unwrap();
    }
    Snapshot::from(builder.finish())
}

fn domains(names: &[&str]) -> Snapshot {
    let rules: Vec<_> = names
        .iter()
        .map(|name| (*name, Rule::listed(Covers::Both)))
        .collect();
    snapshot(&rules)
}

fn rule(list: &Snapshot, host: &str) -> Option<String> {
    list.find(host).map(|found| found.name())
}

#[test]
fn a_domain_covers_itself_and_what_is_below() {
    let list = domains(&["foo.bar", "deep.under.foo.bar", "x.example"]);
    for (host, name) in [
        ("foo.bar", "foo.bar"),
        ("www.foo.bar", "foo.bar"),
        ("a.b.c.foo.bar", "foo.bar"),
        ("under.foo.bar", "foo.bar"),
        ("deep.under.foo.bar", "deep.under.foo.bar"),
        ("very.deep.under.foo.bar", "deep.under.foo.bar"),
        ("x.example", "x.example"),
    ] {
        assert_eq!(rule(&list, host).as_deref(), Some(name), "{host}");
    }
}

#[test]
fn what_only_looks_alike_is_not_covered() {
    let list = domains(&["foo.bar", "x.example"]);
    for host in [
        "",
        ".",
        "bar",
        "foo",
        "notfoo.bar",
        "not-foo.bar",
        "foo.bar.example",
        "foo.ba",
        "foo.barx",
        "oo.bar",
        "example",
        "y.example",
        "foo.bar.",
        "foo.bar\n",
        "foo.bar\nx.example",
        "\n",
    ] {
        assert!(list.find(host).is_none(), "{host:?}");
    }
}

#[test]
fn a_network_of_all_addresses_covers_those_of_its_kind() {
    let list = snapshot(&[("0.0.0.0/0", Rule::listed(Covers::Below))]);
    for host in ["0.0.0.0", "127.0.0.1", "255.255.255.255"] {
        assert_eq!(list.find(host).unwrap().name(), "0.0.0.0/0", "{host}");
    }
    assert!(list.find("::1").is_none());
    let halves = snapshot(&[("128.0.0.0/1", Rule::listed(Covers::Below))]);
    assert_eq!(halves.find("192.0.2.1").unwrap().name(), "128.0.0.0/1");
    assert!(halves.find("10.0.0.1").is_none());
}

#[test]
fn an_address_covers_itself_and_a_network_its_addresses() {
    let listed = Rule::listed(Covers::Itself);
    let list = snapshot(&[
        ("192.0.2.1", listed),
        ("2001:db8::1", listed),
        ("198.51.100.0/24", Rule::listed(Covers::Below)),
        ("198.51.100.128/25", Rule::excepted(Covers::Below)),
        ("2001:db8:1::/48", Rule::listed(Covers::Below)),
    ]);
    for (host, kind, name) in [
        ("192.0.2.1", MatchKind::Listed, "192.0.2.1"),
        ("2001:db8::1", MatchKind::Listed, "2001:db8::1"),
        ("198.51.100.7", MatchKind::Listed, "198.51.100.0/24"),
        ("198.51.100.200", MatchKind::Excepted, "198.51.100.128/25"),
        ("2001:db8:1::7", MatchKind::Listed, "2001:db8:1::/48"),
    ] {
        let found = list.find(host).unwrap();
        assert_eq!((found.kind, &*found.name()), (kind, name), "{host}");
    }
    for host in [
        "0.2.1",
        "192.0.2.11",
        "2001:db8::11",
        "db8::1",
        "198.51.101.1",
        "a.198.51.100.7.example",
    ] {
        assert!(list.find(host).is_none(), "{host}");
    }
}

#[test]
fn a_name_counts_once_and_its_first_line_is_told() {
    let list = domains(&["a.example", "b.example", "a.example"]);
    assert_eq!(list.len(), 2);
    assert_eq!(list.names().count(), 2);
    assert_eq!(list.find("x.a.example").unwrap().line, 1);
}

#[test]
fn every_name_is_found_after_the_table_has_grown() {
    let names: Vec<String> = (0..10_000).map(|n| format!("host{n}.example")).collect();
    let list = domains(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(list.len(), names.len());
    for name in &names {
        assert_eq!(rule(&list, name).as_ref(), Some(name));
    }
    assert!(list.find("host10000.example").is_none());
}

#[test]
fn an_exception_precedes_however_specific_the_entry_is() {
    let important = Rule {
        is_important: true,
        ..Rule::listed(Covers::Both)
    };
    let list = snapshot(&[
        ("ads.example.com", Rule::listed(Covers::Both)),
        ("example.com", Rule::excepted(Covers::Both)),
        ("worst.example.com", important),
        ("alone.example", Rule::listed(Covers::Both)),
        ("alone.example", Rule::excepted(Covers::Itself)),
    ]);
    for (host, kind, line) in [
        ("ads.example.com", MatchKind::Excepted, 2),
        ("x.worst.example.com", MatchKind::Listed, 3),
        ("alone.example", MatchKind::Excepted, 5),
        ("www.alone.example", MatchKind::Listed, 4),
    ] {
        let found = list.find(host).unwrap();
        assert_eq!((found.kind, found.line), (kind, line), "{host}");
    }
}

#[test]
fn rules_about_a_name_and_about_those_below_it_are_apart() {
    let list = snapshot(&[
        ("co.uk", Rule::listed(Covers::Itself)),
        ("com.br", Rule::listed(Covers::Below)),
    ]);
    for (host, is_listed) in [
        ("co.uk", true),
        ("bbc.co.uk", false),
        ("com.br", false),
        ("uol.com.br", true),
    ] {
        assert_eq!(list.find(host).is_some(), is_listed, "{host}");
    }
}

#[test]
fn a_rule_that_is_taken_back_is_gone_wherever_that_stands() {
    let mut builder = Builder::new(Key::random(), false);
    let both = Rules::from(Rule::listed(Covers::Both));
    builder.take_back("a.example", both);
    builder.add("a.example", both, 1, "").unwrap();
    builder.add("b.example", both, 2, "").unwrap();
    builder
        .add("b.example", Rule::excepted(Covers::Itself).into(), 3, "")
        .unwrap();
    builder.take_back("b.example", both);
    let list = Snapshot::from(builder.finish());
    assert_eq!(list.len(), 1);
    assert!(list.find("a.example").is_none());
    assert!(list.find("x.b.example").is_none());
    assert_eq!(list.find("b.example").unwrap().line, 3);
}

#[test]
fn a_new_list_takes_over_the_hits_of_entries_that_it_has() {
    let both = Rules::from(Rule::listed(Covers::Both));
    let list = |entries: &[(&str, &str)]| {
        let mut builder = Builder::new(Key::random(), false);
        for ((name, text), line) in entries.iter().zip(1..) {
            builder.add(name, both, line, text).unwrap();
        }
        Snapshot::from(builder.finish())
    };
    let before = list(&[
        ("kept.example", "||kept.example^"),
        ("gone.example", "||gone.example^"),
        ("other.example", "||other.example^"),
        ("never.example", "||never.example^"),
    ]);
    for (host, times) in [
        ("www.kept.example", 3),
        ("gone.example", 5),
        ("other.example", 2),
    ] {
        (0..times).for_each(|_| before.find(host).unwrap().hit().count());
    }
    let now = list(&[
        ("new.example", "||new.example^"),
        ("other.example", "other.example"),
        ("kept.example", "||kept.example^"),
    ]);
    now.take_hits_over(&before);
    now.find("kept.example").unwrap().hit().count();
    let top = |list: &Snapshot| -> Vec<(String, u32)> {
        let frequent = list.most_frequent(2).into_iter();
        frequent
            .map(|(found, number)| (found.rule(), number))
            .collect()
    };
    let counted = |rule: &str, number| (rule.to_owned(), number);
    assert_eq!(
        top(&before),
        [counted("||gone.example^", 5), counted("||kept.example^", 3)]
    );
    assert_eq!(before.matched(), 3);
    // The name is still there, but it is written in another way.
    assert_eq!(top(&now), [counted("||kept.example^", 4)]);
    assert_eq!(now.matched(), 2);
}

#[test]
fn a_sieve_holds_all_names_of_its_lists_and_few_others() {
    let key = Key::random();
    let lists: Vec<Snapshot> = (1..5)
        .map(|number| {
            let mut builder = Builder::new(key, false);
            for n in 0..10_usize.pow(number) {
                let rules = Rule::listed(Covers::Both).into();
                builder
                    .add(&format!("host{n}.list{number}.example"), rules, 1, "")
                    .unwrap();
            }
            builder.finish().into()
        })
        .collect();
    let sieve = Sieve::new(key, lists.iter());
    let is_held = |host: &str| sieve.holds(&mut Query::new(host, key));
    for name in lists.iter().flat_map(Snapshot::names) {
        assert!(is_held(name) && is_held(&format!("www.{name}")), "{name}");
    }
    let others = (0..10_000).filter(|n| is_held(&format!("www.other{n}.example")));
    let others = others.count();
    // Two domains of each have three labels or more; some 4 % pass.
    assert!(others < 1_000, "{others}");
    // One list alone answers for itself.
    let sieve = Sieve::new(key, lists.iter().take(1));
    assert!(sieve.holds(&mut Query::new("www.other.example", key)));
}
