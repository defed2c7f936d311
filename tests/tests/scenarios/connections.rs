//! How many clients there may be.

use portcullis_tests::{Log, OPTIONS, Proxy, Wire};

async fn is_answered(client: &mut Wire) {
    client.send(OPTIONS).await;
    assert_eq!(client.response().await.status, 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_ends() {
    let mut log = Log::follow();
    let proxy = Proxy::start_with(|config| config.limits.connections = 2).await;
    let (mut first, mut second) = (proxy.client().await, proxy.client().await);
    is_answered(&mut first).await;
    is_answered(&mut second).await;
    log.says(&["WARN", "connections=2", "[limits] connections"])
        .await;

    let mut third = proxy.client().await;
    third.send(OPTIONS).await;
    is_answered(&mut second).await;
    drop(first);
    assert_eq!(third.response().await.status, 200);
    is_answered(&mut second).await;
}
