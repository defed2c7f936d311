//! Names that are other names for hosts, which may have servers of their own.

use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::rr::rdata::{CNAME, SOA};

use super::*;

/// A name, for how many seconds that holds, and its address or the name that it stands for.
type Row = (&'static str, u32, &'static str);

/// A name server with these records, which follows its own aliases.
struct Zone(Dns);

impl Zone {
    fn start(rows: &'static [Row]) -> Self {
        let answer = move |query: &Message| Some(answer(query, rows).to_bytes().unwrap());
        Self(Dns::answering(answer))
    }

    /// The names whose IPv4 addresses it was asked for since it was asked this last.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.0.asked.lock().unwrap());
        let asked = asked.into_iter();
        let asked = asked.filter(|(_, record, _)| *record == RecordType::A);
        asked.map(|(name, ..)| name).collect()
    }
}

fn answer(query: &Message, rows: &[Row]) -> Message {
    let question = query.queries[0].clone();
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    let mut name = question.name().clone();
    let mut code = ResponseCode::NXDomain;
    while let Some((_, ttl, data)) = rows.iter().find(|row| name == written(row.0)) {
        code = ResponseCode::NoError;
        let next = match data.parse() {
            Ok(ip) if question.query_type() == RecordType::A => {
                answer.add_answer(Record::from_rdata(name, *ttl, RData::A(A(ip))));
                break;
            }
            Ok(_) => break,
            Err(_) => written(data),
        };
        let alias = RData::CNAME(CNAME(next.clone()));
        answer.add_answer(Record::from_rdata(name, *ttl, alias));
        code = ResponseCode::NXDomain;
        name = next;
    }
    answer.metadata.response_code = code;
    let zone = written("example");
    let start = SOA::new(zone.clone(), zone.clone(), 1, 60, 60, 60, 60);
    answer.add_authority(Record::from_rdata(zone, 60, RData::SOA(start)));
    answer.add_query(question);
    answer
}

fn written(name: &str) -> Name {
    Name::from_ascii(format!("{name}.")).unwrap()
}

/// A resolver that asks `all`, and the others for a domain each.
fn resolver_with(all: &Zone, split: &[(&str, &Zone)]) -> Resolver {
    let split = split.iter();
    let egress = Egress {
        resolvers: vec![all.0.address.into()],
        name_servers: split
            .map(|(domain, zone)| ((*domain).to_owned(), vec![zone.0.address.into()]))
            .collect(),
        ..Egress::default()
    };
    let (policy, limit) = (Policy::of_no_listener(), Duration::from_secs(5));
    Resolver::new(&egress, policy, limit, LOOKUPS, Reloads::default())
}

#[tokio::test]
async fn an_alias_is_asked_of_the_servers_of_the_domain_that_it_leads_into() {
    // One server knows nothing of the inner name, and the other has an address for every client.
    for outer in [
        &[("www.example", 60, "wiki.corp.example")][..],
        &[
            ("www.example", 60, "more.example"),
            ("more.example", 60, "wiki.corp.example"),
            ("wiki.corp.example", 60, "203.0.113.9"),
        ],
    ] {
        let (all, corp) = (
            Zone::start(outer),
            Zone::start(&[("wiki.corp.example", 60, "192.0.2.1")]),
        );
        let resolver = resolver_with(&all, &[("corp.example", &corp)]);
        assert_found(&resolver, "www.example").await;
        assert_eq!(all.asked(), ["www.example."]);
        assert_eq!(corp.asked(), ["wiki.corp.example."]);
        // It is remembered under the name that was asked for.
        assert_found(&resolver, "www.example").await;
        assert_eq!((all.asked(), corp.asked()), (vec![], vec![]));
    }
}

#[tokio::test]
async fn other_aliases_are_asked_of_the_server_that_names_them() {
    let corp = Zone::start(&[
        ("a.corp.example", 60, "b.corp.example"),
        ("b.corp.example", 60, "192.0.2.1"),
        ("c.corp.example", 60, "elsewhere.example"),
        ("elsewhere.example", 60, "192.0.2.1"),
    ]);
    let all = Zone::start(&[]);
    let resolver = resolver_with(&all, &[("corp.example", &corp)]);
    for host in ["a.corp.example", "c.corp.example"] {
        assert_found(&resolver, host).await;
    }
    assert_eq!(corp.asked(), ["a.corp.example.", "c.corp.example."]);
    assert_eq!(all.asked(), [""; 0]);
}

#[tokio::test]
async fn aliases_without_end_are_an_error() {
    let corp = Zone::start(&[("a.corp.example", 60, "b.lab.example")]);
    let lab = Zone::start(&[("b.lab.example", 60, "a.corp.example")]);
    let all = Zone::start(&[]);
    let resolver = resolver_with(&all, &[("corp.example", &corp), ("lab.example", &lab)]);
    let lost = look_up(&resolver, "a.corp.example").await.unwrap_err();
    let why = crate::error::ErrorChain(&lost).to_string();
    assert!(why.contains("its aliases do not end"), "{why}");
    assert!(corp.asked().len() <= alias::MOST + 1);
    assert_eq!(all.asked(), [""; 0]);
}

#[tokio::test]
async fn that_an_alias_leads_nowhere_holds_no_longer_than_the_alias() {
    let all = Zone::start(&[
        ("short.example", 0, "gone.example"),
        ("long.example", 60, "gone.example"),
    ]);
    let resolver = resolver_with(&all, &[]);
    for (host, asked) in [("short.example", 2), ("long.example", 1)] {
        for _ in 0..2 {
            assert!(look_up(&resolver, host).await.is_err());
        }
        let name = format!("{host}.");
        let times = all.asked().iter().filter(|asked| **asked == name).count();
        assert_eq!(times, asked, "{host}");
    }
}

#[tokio::test]
async fn a_reload_makes_the_servers_of_a_domain_anew() {
    let corp = Zone::start(&[("a.corp.example", 60, "192.0.2.1")]);
    let all = Zone::start(&[]);
    let reloader = Reloader::default();
    let mut resolver = resolver_with(&all, &[("corp.example", &corp)]);
    resolver.source.reloads = reloader.subscribe();
    let servers = async || {
        let names = resolver.names().await;
        names.split.find("a.corp.example").unwrap().clone().unwrap()
    };
    let before = servers().await;
    assert!(Arc::ptr_eq(&before, &servers().await));
    reloader.reload();
    assert!(!Arc::ptr_eq(&before, &servers().await));
    assert_found(&resolver, "a.corp.example").await;
}
