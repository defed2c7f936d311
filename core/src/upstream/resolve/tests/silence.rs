//! The order of servers after one has not answered.

use super::*;

/// A server that says nothing of some names, as those who answer for these are silent themselves.
fn server() -> Dns {
    Dns::answering(|query| {
        let name = query.queries[0].name().to_lowercase().to_ascii();
        let is_slow = name.starts_with("slow");
        answer(query, if is_slow { SILENT } else { GOOD })
    })
}

/// What becomes of a name for which `silent` lets its time pass, for each family.
async fn unanswered_by(
    silent: &Dns,
    resolver: &Resolver,
    host: &str,
) -> Result<Vec<IpAddr>, Error> {
    let asked = silent.questions() + 2;
    let is_asked = || silent.questions() == asked;
    after(LIMIT / 3, is_asked, look_up(resolver, host)).await
}

#[tokio::test]
async fn a_name_that_gets_no_answer_leaves_the_order_of_servers_alone() {
    // The second one does not know the names that are inside.
    let (inside, outside) = (server(), Dns::start(DENYING));
    let (resolver, _clock) = (resolver(&[&inside, &outside]), StoppedClock::stop());
    for (slow, good) in [
        ("slow1.example", "wiki1.example"),
        ("slow2.example", "wiki2.example"),
    ] {
        for _ in 0..2 {
            let error = unanswered_by(&inside, &resolver, slow).await;
            assert!(matches!(error, Err(Error::Dns { .. })), "{error:?}");
        }
        assert_found(&resolver, good).await;
        assert!(!outside.was_asked_for(&format!("{good}.")));
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_for_two_names_is_asked_last_from_then_on() {
    let (silent, good) = (Dns::start(SILENT), Dns::start(GOOD));
    let (resolver, _clock) = (resolver(&[&silent, &good]), StoppedClock::stop());
    for host in ["first.example", "second.example"] {
        let found = unanswered_by(&silent, &resolver, host).await;
        assert_eq!(found.unwrap(), [FOUND], "{host}");
    }
    assert_found(&resolver, "third.example").await;
    assert!(!silent.was_asked_for("third.example."));
}
