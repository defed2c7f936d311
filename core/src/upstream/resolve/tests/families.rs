//! Names whose addresses of one family come later than those of the other.

use hickory_resolver::proto::rr::rdata::AAAA;

use super::*;
use crate::upstream::resolve::servers::{Question, RESOLUTION_DELAY};

const FOUND_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// A name server for which every name has an address of each family. It holds its answers about the
/// family `late` back while the test holds the gate. They have a TTL of 0.
fn uneven(late: RecordType) -> (Dns, Arc<Gate>) {
    let gate = Arc::<Gate>::default();
    let closed = gate.clone();
    let server = Dns::serving(move |query, socket, client| {
        let is_late = query.queries[0].query_type() == late;
        let answer = answer(query, if is_late { 0 } else { 3600 });
        let (socket, gate) = (socket.try_clone().unwrap(), closed.clone());
        thread::spawn(move || {
            if is_late {
                drop(gate.blocking_lock());
            }
            // The one who asked may be gone.
            let _ = socket.send_to(&answer, client);
        });
    });
    (server, gate)
}

type Gate = tokio::sync::Mutex<()>;

fn answer(query: &Message, ttl: u32) -> Vec<u8> {
    let question = query.queries[0].clone();
    let mut answer = Message::response(query.metadata.id, query.metadata.op_code);
    let data = match question.query_type() {
        RecordType::AAAA => RData::AAAA(AAAA(FOUND_V6)),
        _ => RData::A(A(FOUND)),
    };
    answer.add_answer(Record::from_rdata(question.name().clone(), ttl, data));
    answer.add_query(question);
    answer.to_bytes().unwrap()
}

async fn addresses(resolver: &Resolver) -> Addresses {
    let target = Target::new("name.example", 80).unwrap();
    resolver.addresses(&target, EVE).await.unwrap()
}

/// Whether the addresses of one family are known.
fn knows(resolver: &Resolver, family: RecordType) -> bool {
    let names = resolver.state().names.clone();
    names.cache.get("name.example.", family).is_some()
}

#[tokio::test]
async fn ipv4_addresses_are_waited_for_where_those_of_ipv6_are_known() {
    let (server, gate) = uneven(RecordType::A);
    let (resolver, _clock) = (resolver(&[&server]), StoppedClock::stop());
    // The second time those of IPv6 are remembered, and the others are not.
    for _ in 0..2 {
        let held = gate.lock().await;
        let letting_go = async {
            until(|| knows(&resolver, RecordType::AAAA)).await;
            advance(4 * RESOLUTION_DELAY).await;
            drop(held);
        };
        let (found, ()) = tokio::join!(biased; addresses(&resolver), letting_go);
        let both: [IpAddr; 2] = [FOUND_V6.into(), FOUND.into()];
        assert_eq!(*found.known, both);
        assert!(found.late.is_none());
    }
    assert_eq!(server.times(RecordType::AAAA), 1);
}

#[tokio::test]
async fn ipv6_addresses_alone_are_told_before_the_time_is_over() {
    let (server, gate) = uneven(RecordType::A);
    let (resolver, _clock) = (resolver(&[&server]), StoppedClock::stop());
    let _held = gate.lock().await;
    let is_known = || knows(&resolver, RecordType::AAAA);
    let found = after(LIMIT / 2, is_known, addresses(&resolver)).await;
    assert_eq!(*found.known, [IpAddr::from(FOUND_V6)]);
    assert!(found.late.is_some());
}

#[tokio::test]
async fn ipv6_addresses_that_are_late_can_be_had_each_time() {
    let (server, gate) = uneven(RecordType::AAAA);
    let (resolver, _clock) = (resolver(&[&server]), StoppedClock::stop());
    // The second time it is known that they are late.
    for _ in 0..2 {
        let held = gate.lock().await;
        let question = late(&resolver).await;
        drop(held);
        let late = resolver.late(&question, EVE).await;
        assert_eq!(*late, [IpAddr::from(FOUND_V6)]);
    }
}

/// The question for the IPv6 addresses that a server does not tell.
async fn late(resolver: &Resolver) -> Question {
    let is_known = || knows(resolver, RecordType::A);
    let found = after(RESOLUTION_DELAY, is_known, addresses(resolver)).await;
    assert_eq!(*found.known, [IpAddr::from(FOUND)]);
    found.late.unwrap()
}

#[tokio::test]
async fn ipv6_addresses_that_are_late_are_asked_for_once_at_a_time() {
    let (server, gate) = uneven(RecordType::AAAA);
    let (resolver, _clock) = (resolver(&[&server]), StoppedClock::stop());
    let held = gate.lock().await;
    let question = late(&resolver).await;
    let asking = join_all((0..30).map(|_| resolver.late(&question, EVE)));
    let (late, ()) = tokio::join!(biased; asking, async { drop(held) });
    assert!(late.iter().all(|late| **late == [IpAddr::from(FOUND_V6)]));
    assert_eq!(server.times(RecordType::AAAA), 2);
}

#[tokio::test]
async fn ipv6_addresses_that_never_come_are_not_waited_for_as_long_as_a_name() {
    let (server, gate) = uneven(RecordType::AAAA);
    let (resolver, clock) = (resolver(&[&server]), StoppedClock::stop());
    let _held = gate.lock().await;
    let question = late(&resolver).await;
    // Nothing comes from here on but the end of the wait.
    drop(clock);
    let late = timeout(2 * LATE_LIMIT, resolver.late(&question, EVE)).await;
    assert!(late.expect("it ends").is_empty());
}

#[tokio::test]
async fn a_name_that_does_not_exist_waits_for_no_answer_about_its_ipv6_addresses() {
    let script: Script = |record| (record == RecordType::A).then_some(ResponseCode::NXDomain);
    let resolver = resolver(&[&Dns::start(script), &Dns::start(script)]);
    let error = look_up(&resolver, "name.example").await;
    assert!(matches!(error, Err(Error::Dns { .. })), "{error:?}");
}
