//! Filters that change requests and responses, or answer in place of the origin.

use portcullis::Config;
use portcullis_tests::{Log, Origin, Proxy, Response, Wire, guests, plug};

/// A proxy with these editors, by name and configuration, and an origin.
async fn scene(editors: &[(&str, &str)]) -> (Proxy, Origin) {
    let plugged = |config: &mut Config| {
        for (name, settings) in editors {
            plug(&config.plugins.dir, &format!("{name}.toml"), settings);
            plug(
                &config.plugins.dir,
                &format!("{name}.wasm"),
                guests::editor(),
            );
        }
    };
    (Proxy::start_with(plugged).await, Origin::start().await)
}

/// One exchange: the head that the origin gets, and what the client gets when the origin answers
/// `answer`.
async fn exchange(
    proxy: &Proxy,
    origin: &Origin,
    fields: &str,
    answer: &str,
) -> (String, Response) {
    let mut client = proxy.client().await;
    ask(&mut client, origin, fields).await;
    let mut served = origin.accept().await;
    let head = served.head().await;
    served.send(answer).await;
    (head, client.response().await)
}

async fn ask(client: &mut Wire, origin: &Origin, fields: &str) {
    let (url, host) = (origin.url("/page?q"), origin.authority());
    client
        .send(format!(
            "GET {url} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"
        ))
        .await;
}

const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn what_a_filter_strips_does_not_reach_the_origin_and_what_it_sets_does() {
    let rules = "[config.request]\nremove = [\"cookie\"]\nset = {dnt = \"1\"}";
    let (proxy, origin) = scene(&[("editor", rules)]).await;
    let fields = "Cookie: a=1\r\ncookie: b=2\r\nDNT: 0\r\nX-Own: kept\r\n";
    let (head, response) = exchange(&proxy, &origin, fields, EMPTY).await;
    assert!(!head.to_lowercase().contains("cookie"), "{head}");
    assert!(
        head.contains("\r\ndnt: 1\r\n") && !head.contains("dnt: 0"),
        "{head}"
    );
    assert!(head.contains("\r\nx-own: kept\r\n"), "{head}");
    assert!(head.contains("\r\nx-trace: editor\r\n"), "{head}");
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn however_much_a_message_has_a_filter_can_add_to_it() {
    let rules = "[config]\nrequest.set = {dnt = \"1\"}\nresponse.set = {dnt = \"1\"}";
    let (proxy, origin) = scene(&[("editor", rules)]).await;
    let much = format!("X-Much: {}\r\n", "x".repeat(65_000));
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{much}\r\n");
    let (head, response) = exchange(&proxy, &origin, &much, &answer).await;
    assert!(head.contains("\r\ndnt: 1\r\n"));
    assert_eq!((response.status, response.field("dnt")), (200, Some("1")));
}

#[tokio::test]
async fn the_next_filter_sees_what_the_one_before_it_left() {
    let (proxy, origin) = scene(&[
        (
            "a-first",
            "[config]\nmark = \"1\"\nrequest.set = {x-a = \"first\"}",
        ),
        (
            "b-second",
            "[config]\nmark = \"2\"\nrequest.remove = [\"x-a\"]",
        ),
    ])
    .await;
    let mut log = Log::follow();
    let (head, response) = exchange(&proxy, &origin, "", EMPTY).await;
    assert!(!head.contains("x-a:"), "{head}");
    assert!(head.contains("x-trace: 1\r\nx-trace: 2\r\n"), "{head}");
    // Each has copied the request's two marks into the response.
    assert_eq!(response.head.matches("x-trace: ").count(), 4);
    let line = log
        .says(&["access", &origin.authority().replace("127.0.0.1:", "port=")])
        .await;
    assert!(line.contains("edited=a-first,b-second"), "{line}");
}

#[tokio::test]
async fn a_filter_that_fails_has_changed_nothing() {
    let (proxy, origin) = scene(&[(
        "editor",
        "on_error = \"skip\"\n[config]\npanic = true\nrequest.remove = [\"cookie\"]",
    )])
    .await;
    let (head, _) = exchange(&proxy, &origin, "Cookie: a=1\r\n", EMPTY).await;
    assert!(head.contains("cookie: a=1\r\n"), "{head}");
    assert!(!head.contains("x-trace"), "{head}");
}

#[tokio::test]
async fn what_frames_a_message_or_names_its_host_is_out_of_reach() {
    for field in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "via",
    ] {
        let rules = format!("[config.request]\nset = {{{field} = \"1\"}}");
        let (proxy, origin) = scene(&[("editor", &rules)]).await;
        let mut log = Log::follow();
        let mut client = proxy.client().await;
        ask(&mut client, &origin, "").await;
        let refusal = client.response().await;
        assert_eq!(refusal.status, 503, "{field}");
        let said = format!("the field {field} belongs to the proxy");
        log.says(&["editor", &said]).await;
        assert!(!origin.was_dialled());
    }
}

#[tokio::test]
async fn a_response_loses_and_gets_fields_and_keeps_its_body() {
    let rules = "[config.response]\nremove = [\"server\", \"set-cookie\"]\nset = {referrer-policy = \"no-referrer\"}";
    let (proxy, origin) = scene(&[("editor", rules)]).await;
    let answer = "HTTP/1.1 200 OK\r\nServer: old/1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nX-Own: kept\r\nContent-Length: 4\r\n\r\nbody";
    let (_, response) = exchange(&proxy, &origin, "", answer).await;
    assert_eq!(response.field("server"), None);
    assert_eq!(response.field("set-cookie"), None);
    assert_eq!(response.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(response.field("x-own"), Some("kept"));
    assert_eq!(response.body, "body");
}

#[tokio::test]
async fn a_response_is_replaced_by_a_page_and_the_next_request_is_served() {
    let (proxy, origin) = scene(&[("editor", "[config]\nreplace = 404")]).await;
    let mut client = proxy.client().await;
    ask(&mut client, &origin, "").await;
    let mut served = origin.accept().await;
    served.head().await;
    served
        .send("HTTP/1.1 404 Not Found\r\nX-Secret: yes\r\nContent-Length: 6\r\n\r\nsecret")
        .await;
    let page = client.response().await;
    assert_eq!(page.status, 200);
    assert_eq!(page.field("content-type"), Some("text/x-mark"));
    assert_eq!(page.field("x-secret"), None);
    let status = "portcullis;details=\"filter editor: replaced\"";
    assert_eq!(page.field("proxy-status"), Some(status));
    assert_eq!(page.body, format!("GET {}", origin.url("/page?q")));

    ask(&mut client, &origin, "").await;
    let mut served = origin.accept().await;
    served.head().await;
    served.send(EMPTY).await;
    assert_eq!(client.response().await.status, 200);
}

#[tokio::test]
async fn a_response_is_refused_with_the_filters_reason() {
    let (proxy, origin) = scene(&[("editor", "[config]\nblock = 200")]).await;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
    let (_, refusal) = exchange(&proxy, &origin, "", answer).await;
    assert_eq!(refusal.status, 403);
    assert!(
        refusal
            .body
            .contains("Reason: the origin says so\nFilter: editor\n")
    );
    assert!(!refusal.body.contains("secret"));
}

#[tokio::test]
async fn an_upgrade_is_judged_and_still_a_tunnel_afterwards() {
    let (proxy, origin) = scene(&[("editor", "[config.response]\nset = {x-seen = \"1\"}")]).await;
    let mut client = proxy.client().await;
    ask(
        &mut client,
        &origin,
        "Connection: upgrade\r\nUpgrade: echo\r\n",
    )
    .await;
    let mut served = origin.accept().await;
    assert!(served.head().await.contains("upgrade: echo"));
    served
        .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo/2\r\n\r\n")
        .await;
    let head = client.head().await;
    assert!(
        head.contains("upgrade: echo/2\r\n") && head.contains("x-seen: 1\r\n"),
        "{head}"
    );
    client.send("ping").await;
    served.expect("ping").await;
    served.send("pong").await;
    client.expect("pong").await;
}

#[tokio::test]
async fn in_shadow_mode_nothing_is_changed_and_what_would_be_is_counted() {
    let rules = "mode = \"shadow\"\n[config]\nreplace = 200\nrequest.remove = [\"cookie\"]";
    let (proxy, origin) = scene(&[("editor", rules)]).await;
    let mut log = Log::follow();
    let (head, response) = exchange(&proxy, &origin, "Cookie: a=1\r\n", EMPTY).await;
    assert!(head.contains("cookie: a=1\r\n"), "{head}");
    assert_eq!((response.status, response.body.as_str()), (200, ""));
    let fields = "fields=\"-cookie +x-trace\"";
    log.says(&["shadow", "editor", "judge-request", fields])
        .await;
    log.says(&["shadow", "editor", "judge-response", "verdict=\"replace\""])
        .await;
    std::fs::remove_file(proxy.plugins().join("editor.wasm")).unwrap();
    let ends = log.says(&["shadow", "editor", "ends: "]).await;
    assert!(
        ends.contains("1 replaced, 0 dropped, 0 allowed, 1 passed; 1 would be changed"),
        "{ends}"
    );
}
