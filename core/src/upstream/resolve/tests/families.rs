//! Names whose addresses of one family come later than those of the other.

use hickory_resolver::proto::rr::rdata::AAAA;

use super::*;

const FOUND_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

const LATE: Duration = Duration::from_millis(200);

/// Longer than any test.
const NEVER: Duration = Duration::from_hours(1);

/// A name server for which every name has an address of each family. It calls `wait` before it
/// tells one of them, and has that answer hold for that question alone.
fn uneven(late: RecordType, wait: impl Fn() + Clone + Send + 'static) -> Dns {
    Dns::serving(move |query, socket, client| {
        let is_late = query.queries[0].query_type() == late;
        let answer = answer(query, if is_late { 0 } else { 3600 });
        let (socket, wait) = (socket.try_clone().unwrap(), wait.clone());
        thread::spawn(move || {
            if is_late {
                wait();
            }
            // The one who asked may be gone.
            let _ = socket.send_to(&answer, client);
        });
    })
}

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

/// One that tells no IPv6 address while the test has what is locked.
fn held_back() -> (Dns, Arc<tokio::sync::Mutex<()>>) {
    let gate = Arc::default();
    let server = uneven(RecordType::AAAA, {
        let gate: Arc<tokio::sync::Mutex<()>> = Arc::clone(&gate);
        move || drop(gate.blocking_lock())
    });
    (server, gate)
}

async fn addresses(resolver: &Resolver) -> Addresses {
    let target = Target::new("name.example", 80).unwrap();
    resolver.addresses(&target, EVE).await.unwrap()
}

#[tokio::test]
async fn ipv4_addresses_are_waited_for_where_those_of_ipv6_are_known() {
    let server = uneven(RecordType::A, || thread::sleep(LATE));
    let resolver = resolver_within(&[&server], Duration::from_secs(5));
    // The second time those of IPv6 are remembered, and the others are not.
    for _ in 0..2 {
        let found = addresses(&resolver).await;
        let both: [IpAddr; 2] = [FOUND_V6.into(), FOUND.into()];
        assert_eq!(*found.known, both);
        assert!(found.late.is_none());
    }
    assert_eq!(server.times(RecordType::AAAA), 1);
}

#[tokio::test]
async fn ipv6_addresses_alone_are_told_before_the_time_is_over() {
    let server = uneven(RecordType::A, || thread::sleep(NEVER));
    let resolver = resolver_within(&[&server], Duration::from_millis(600));
    let found = addresses(&resolver).await;
    assert_eq!(*found.known, [IpAddr::from(FOUND_V6)]);
    assert!(found.late.is_some());
}

#[tokio::test]
async fn ipv6_addresses_that_are_late_can_be_had_each_time() {
    let (server, gate) = held_back();
    let resolver = resolver_within(&[&server], Duration::from_secs(5));
    // The second time it is known that they are late.
    for _ in 0..2 {
        let held = gate.lock().await;
        let found = addresses(&resolver).await;
        assert_eq!(*found.known, [IpAddr::from(FOUND)]);
        drop(held);
        let late = resolver.late(&found.late.unwrap(), EVE).await;
        assert_eq!(*late, [IpAddr::from(FOUND_V6)]);
    }
}

#[tokio::test]
async fn ipv6_addresses_that_are_late_are_asked_for_once_at_a_time() {
    let (server, gate) = held_back();
    let resolver = resolver_within(&[&server], Duration::from_secs(5));
    let held = gate.lock().await;
    let question = addresses(&resolver).await.late.unwrap();
    let asking = join_all((0..30).map(|_| resolver.late(&question, EVE)));
    let (late, ()) = tokio::join!(biased; asking, async { drop(held) });
    assert!(late.iter().all(|late| **late == [IpAddr::from(FOUND_V6)]));
    // On a machine that is busy it may be sent again.
    let times = server.times(RecordType::AAAA);
    assert!((2..10).contains(&times), "{times}");
}

#[tokio::test]
async fn ipv6_addresses_that_never_come_are_not_waited_for_as_long_as_a_name() {
    let server = uneven(RecordType::AAAA, || thread::sleep(NEVER));
    let resolver = resolver_within(&[&server], Duration::from_secs(60));
    let question = addresses(&resolver).await.late.unwrap();
    // Nothing comes from here on but the end of the wait.
    tokio::time::pause();
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
