//! The file of users, while the proxy runs.

use std::net::SocketAddr;

use portcullis::StartError;
use portcullis::config::Listener;
use portcullis_tests::{Log, Proxy};

use super::{ADA, BOB, Guarded, login};

#[tokio::test]
async fn a_change_of_the_file_holds_for_the_next_request() {
    let mut log = Log::follow();
    let guarded = Guarded::start().await;
    let host = "changed.example";
    let mut client = guarded.stage.proxy.client().await;
    let [ada, bob] = ["ada", "bob"].map(|user| login(user, "secret"));
    assert_eq!(guarded.asks(&mut client, host, &bob).await.status, 200);
    log.says(&["users in use users=2"]).await;
    guarded.says(ADA);
    log.says(&["users in use users=1"]).await;
    assert_eq!(guarded.asks(&mut client, host, &bob).await.status, 407);
    assert_eq!(guarded.asks(&mut client, host, &ada).await.status, 200);
    // Another password is another hash, and what was known of the one before is not used.
    guarded.says(&BOB.replace("bob", "ada").replace("ufr.", "ufrO"));
    log.says(&["users in use users=1"]).await;
    assert_eq!(guarded.asks(&mut client, host, &ada).await.status, 407);
}

#[tokio::test]
async fn a_wrong_file_changes_nothing_and_is_told() {
    let mut log = Log::follow();
    let guarded = Guarded::start().await;
    log.says(&["users in use users=2"]).await;
    guarded.says(&format!("{ADA}bob:secret\n"));
    let line = log
        .says(&["ERROR", "the file of users cannot be used"])
        .await;
    assert!(line.contains("users:2: the hash of `bob`: "), "{line}");
    let mut client = guarded.stage.proxy.client().await;
    let bob = login("bob", "secret");
    assert_eq!(
        guarded.asks(&mut client, "kept.example", &bob).await.status,
        200
    );
    guarded.says(ADA);
    log.says(&["users in use users=1"]).await;
    assert_eq!(
        guarded.asks(&mut client, "kept.example", &bob).await.status,
        407
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_used_ends_the_start() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut config = portcullis::Config::default();
    config.auth.users = Some(folder.path().join("missing"));
    let failed = portcullis::Proxy::bind(config).expect_err("it does not start");
    assert!(matches!(failed, StartError::Users(_)), "{failed:?}");
    assert_eq!(
        failed.to_string(),
        "cannot start without the users of [auth]"
    );
}

#[tokio::test]
async fn what_may_go_wrong_with_the_file_is_warned_about() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    let mut log = Log::follow();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let file = folder.path().join("users");
    fs::write(&file, ADA).expect("a new file");
    fs::set_permissions(&file, Permissions::from_mode(0o666)).expect("it is ours");
    let proxy = Proxy::start_with(|config| {
        config.auth.users = Some(file);
        let group = portcullis::config::Group::of_users(["adda".to_owned()]);
        config.groups.insert("typo".into(), group);
    });
    let _proxy = proxy.await;
    log.says(&["WARN", "may write to the file of users", "chmod go-w"])
        .await;
    let parts = [
        "WARN",
        "names a user whom the file",
        "user=\"adda\" group=\"typo\"",
    ];
    log.says(&parts).await;
}

#[tokio::test]
async fn explain_says_of_each_listener_that_its_clients_log_in() {
    let guarded = Guarded::start_with(|config| {
        let listener = Listener::at(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.listeners.insert("more".into(), listener);
    })
    .await;
    let config = guarded.stage.proxy.config().clone();
    for (users, words) in [
        (
            config.auth.users.clone(),
            ", for this machine, with a login\n",
        ),
        (None, ", for this machine\n"),
    ] {
        let mut config = config.clone();
        config.auth.users = users;
        let explained = portcullis::commands::explain(config, "a.example", None, None).await;
        let said = explained.expect("a host").to_string();
        assert_eq!(said.matches(words).count(), 2, "{said}");
    }
}
