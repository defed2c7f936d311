//! Clients that guess, and those beside them.

use std::net::Ipv4Addr;

use portcullis::commands::NewUser;
use portcullis_tests::{Log, connect};

use super::{ADA, BOB, Guarded, login, with};

#[tokio::test]
async fn a_client_that_guesses_is_soon_refused_and_one_that_is_known_is_not() {
    let mut log = Log::follow();
    let guarded = Guarded::start_with(|config| config.auth.failures = 3).await;
    let host = "guessed.example";
    let mut client = guarded.stage.proxy.client_from([127, 0, 0, 5]).await;
    let right = login("ada", "secret");
    assert_eq!(guarded.asks(&mut client, host, &right).await.status, 200);
    let mut guessing = guarded.stage.proxy.client_from([127, 0, 0, 5]).await;
    for guess in 0..3 {
        let field = login("ada", &format!("guess {guess}"));
        assert_eq!(guarded.asks(&mut guessing, host, &field).await.status, 407);
    }
    // The right password would not help any more, for a user who is not known yet.
    for field in [login("ada", "guess 4"), login("bob", "secret")] {
        let mut guessing = guarded.stage.proxy.client_from([127, 0, 0, 5]).await;
        let refused = guarded.asks(&mut guessing, host, &field).await;
        assert_eq!(refused.status, 429, "{refused:?}");
        let wait = refused
            .field("retry-after")
            .and_then(|wait| wait.parse().ok());
        assert!(matches!(wait, Some(1..=20)), "{refused:?}");
        assert_eq!(refused.field("connection"), Some("close"));
    }
    assert_eq!(guarded.asks(&mut client, host, &right).await.status, 200);
    let mut other = guarded.stage.proxy.client_from([127, 0, 0, 6]).await;
    let field = login("bob", "secret");
    assert_eq!(guarded.asks(&mut other, host, &field).await.status, 200);
    log.says(&[
        "a client has failed to log in too often",
        "client=127.0.0.5",
    ])
    .await;
}

#[tokio::test]
async fn a_client_that_is_refused_does_not_learn_what_another_has_shown() {
    let guarded = Guarded::start_with(|config| config.auth.failures = 3).await;
    let (host, right) = ("shown.example", login("ada", "secret"));
    let mut ada = guarded.stage.proxy.client_from([127, 0, 0, 8]).await;
    assert_eq!(guarded.asks(&mut ada, host, &right).await.status, 200);
    let mut guessing = guarded.stage.proxy.client_from([127, 0, 0, 9]).await;
    for guess in 0..3 {
        let field = login("ada", &format!("guess {guess}"));
        assert_eq!(guarded.asks(&mut guessing, host, &field).await.status, 407);
    }
    for password in ["guess 3", "secret"] {
        let mut guessing = guarded.stage.proxy.client_from([127, 0, 0, 9]).await;
        let refused = guarded
            .asks(&mut guessing, host, &login("ada", password))
            .await;
        assert_eq!(refused.status, 429, "{password}");
    }
    assert_eq!(guarded.asks(&mut ada, host, &right).await.status, 200);
}

#[tokio::test]
async fn each_failure_is_one_line_with_the_client_and_no_name_that_is_not_a_user() {
    let log = Log::follow();
    let guarded = Guarded::start().await;
    let mut client = guarded.stage.proxy.client_from([127, 0, 0, 7]).await;
    for (user, password) in [("ada", "wrong"), ("eve", "secret")] {
        let field = login(user, password);
        let response = guarded.asks(&mut client, "told.example", &field).await;
        assert_eq!(response.status, 407);
    }
    let failed = ["WARN portcullis::login: login failed client=127.0.0.7 "];
    let mut lines = log.clone();
    let line = lines.says(&failed).await;
    assert!(
        line.ends_with(" user=\"ada\" reason=\"wrong password\""),
        "{line}"
    );
    let line = lines.says(&failed).await;
    assert!(
        line.ends_with("127.0.0.7 reason=\"unknown user\""),
        "{line}"
    );
    assert_eq!(log.count(&failed), 2);
}

#[tokio::test]
async fn what_cannot_be_compared_is_a_failure_as_a_wrong_password_is() {
    let log = Log::follow();
    let guarded = Guarded::start_with(|config| config.auth.failures = 5).await;
    let mut client = guarded.stage.proxy.client_from([127, 0, 0, 10]).await;
    let long = "x".repeat(1025);
    let unfit = [
        (
            "Proxy-Authorization: Bearer x\r\n".to_owned(),
            "the login is of another scheme than Basic, which alone is known here",
        ),
        (
            "Proxy-Authorization: Basic !\r\n".to_owned(),
            "the login is not a name, a colon and a password without control characters, in base64",
        ),
        (
            login("", "secret"),
            "the login is not a name, a colon and a password without control characters, in base64",
        ),
        (login("eve", &long), "a password that is too long"),
        (login("ada", &long), "a password that is too long"),
    ];
    let failed = ["WARN portcullis::login: login failed client=127.0.0.10 "];
    let mut lines = log.clone();
    for (field, reason) in &unfit {
        // A request without a login has not failed.
        for sent in ["", field.as_str()] {
            let response = guarded.asks(&mut client, "unfit.example", sent).await;
            assert_eq!(response.status, 407, "{sent}");
        }
        let line = lines.says(&failed).await;
        assert!(line.ends_with(&format!(" reason=\"{reason}\"")), "{line}");
        let names_ada = *field == login("ada", &long);
        assert_eq!(line.contains(" user=\"ada\" "), names_ada, "{line}");
        assert_eq!(line.contains("user="), names_ada, "{line}");
    }
    // Now it has to wait, whatever it sends.
    for field in [&unfit[0].0, &unfit[4].0, &login("ada", "secret")] {
        let mut client = guarded.stage.proxy.client_from([127, 0, 0, 10]).await;
        let response = guarded.asks(&mut client, "unfit.example", field).await;
        assert_eq!(response.status, 429, "{field}");
        let mut client = guarded.stage.proxy.client_from([127, 0, 0, 10]).await;
        let response = guarded.asks(&mut client, "unfit.example", "").await;
        assert_eq!(response.status, 407, "it sends none");
    }
    assert_eq!(log.count(&failed), unfit.len());
}

#[tokio::test]
async fn a_burst_of_wrong_logins_does_not_delay_those_who_are_known() {
    let guarded = Guarded::start().await;
    // A hash as `portcullis password` makes it, which takes its time.
    let carl = NewUser::new("carl").and_then(|carl| carl.line("secret"));
    let mut log = Log::follow();
    guarded.says(&format!("{ADA}{BOB}{}\n", carl.expect("a line")));
    log.says(&["users in use users=3"]).await;
    let host = "burst.example";
    let mut ada = guarded.stage.proxy.client().await;
    let right = login("ada", "secret");
    // On both workers.
    let mut also_ada = guarded.stage.proxy.client().await;
    assert_eq!(guarded.asks(&mut ada, host, &right).await.status, 200);
    assert_eq!(guarded.asks(&mut also_ada, host, &right).await.status, 200);
    let mut burst = Vec::new();
    for client in 0..60 {
        let mut wire = guarded
            .stage
            .proxy
            .client_from(Ipv4Addr::new(127, 0, 9, client))
            .await;
        let tunnel = connect("burst.example:443");
        wire.send(with(&tunnel, &login("carl", "wrong"))).await;
        burst.push(wire);
    }
    for known in [&mut ada, &mut also_ada] {
        assert_eq!(guarded.asks(known, host, &right).await.status, 200);
    }
    let answered = burst
        .iter_mut()
        .filter_map(|wire| wire.has_heard().then_some(()))
        .count();
    assert!(answered < 60, "the burst was over before");
    for mut wire in burst {
        let status = wire.response_to("CONNECT").await.status;
        assert!([407, 503].contains(&status), "{status}");
    }
}
