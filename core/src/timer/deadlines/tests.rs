//! Every clock of a connection, with paused time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Waker;

use tokio::time::advance;

use super::*;

impl Deadlines {
    /// The deadlines of a connection that was accepted just now.
    pub(crate) fn new(limits: Rc<Limits>) -> Self {
        Self::since(Instant::now(), limits)
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Every limit is another one, so that a test sees which of them held.
fn deadlines() -> Deadlines {
    Deadlines::new(Rc::new(Limits {
        request_head: seconds(10),
        keep_alive: seconds(20),
        response_head: seconds(30),
        idle: seconds(40),
        half_closed: seconds(5),
        client_hello: seconds(7),
        body_rate: 10,
        ..Limits::default()
    }))
}

/// A request has come.
fn in_exchange() -> Deadlines {
    let deadlines = deadlines();
    deadlines.begin_exchange();
    deadlines
}

/// A request has come, and its body is on the way.
fn uploading() -> (Deadlines, Rc<UploadProgress>) {
    let deadlines = in_exchange();
    let upload = Rc::new(UploadProgress::default());
    deadlines.track_upload(upload.clone());
    (deadlines, upload)
}

/// What expires next, and when, in seconds from now.
async fn next(deadlines: &Deadlines) -> (Expired, u64) {
    let now = Instant::now();
    let expired = poll_fn(|cx| deadlines.poll(cx)).await;
    (expired, now.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_asks_is_cut_after_request_head() {
    assert_eq!(next(&deadlines()).await, (Expired::Connection, 10));
}

#[tokio::test(start_paused = true)]
async fn bytes_of_a_first_head_that_trickle_in_win_no_time() {
    let deadlines = deadlines();
    advance(seconds(9)).await;
    deadlines.record_read();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 1));
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_has_keep_alive_and_then_request_head_from_the_first_byte() {
    let deadlines = in_exchange();
    deadlines.end_exchange();
    assert!(!deadlines.record_flushed(), "no end was held back");
    advance(seconds(19)).await;
    deadlines.record_read();
    advance(seconds(9)).await;
    deadlines.record_read();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 1));

    deadlines.begin_exchange();
    deadlines.record_moved();
    deadlines.end_exchange();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 20));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_the_end_of_a_response_keeps_its_connection() {
    let deadlines = in_exchange();
    deadlines.begin_body();
    deadlines.end_exchange();
    advance(seconds(15)).await;
    deadlines.record_moved();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 20));
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_is_late_fails_the_exchange_and_not_the_connection() {
    let deadlines = in_exchange();
    advance(seconds(100)).await;
    deadlines.begin_response_head();
    assert_eq!(next(&deadlines).await, (Expired::Exchange, 30));
    assert!(matches!(
        deadlines.take_failure(),
        Some(Error::ResponseTimeout)
    ));
}

#[tokio::test(start_paused = true)]
async fn an_upload_has_the_idle_time_for_as_long_as_it_moves() {
    let (deadlines, upload) = uploading();
    deadlines.begin_response_head();
    upload.add(1);
    advance(seconds(39)).await;
    deadlines.record_read();
    upload.wait_for_client();
    assert_eq!(next(&deadlines).await, (Expired::Exchange, 40));
    assert!(matches!(
        deadlines.take_failure(),
        Some(Error::RequestTimeout)
    ));
}

/// Has a body come at a byte every so many seconds, until it is cut off. Returns what it is cut off
/// by, and after how many seconds.
async fn trickle(deadlines: &Deadlines, upload: &UploadProgress, pause: u64) -> (Expired, u64) {
    let begun = Instant::now();
    upload.wait_for_client();
    for _ in 0..1000 {
        let sent = tokio::time::timeout(seconds(pause), poll_fn(|cx| deadlines.poll(cx)));
        if let Ok(expired) = sent.await {
            return (expired, begun.elapsed().as_secs());
        }
        deadlines.record_read();
        upload.add(1);
        upload.wait_for_client();
    }
    panic!("the upload is not cut off");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_trickles_is_too_slow_when_its_pauses_add_up_to_the_idle_time() {
    let (deadlines, upload) = uploading();
    deadlines.begin_response_head();
    // Each of the 44 bytes has won a tenth of a second.
    let cut = trickle(&deadlines, &upload, 1).await;
    assert_eq!(cut, (Expired::Exchange, 44));
    let failure = deadlines.take_failure();
    assert!(matches!(failure, Some(Error::RequestTooSlow)));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_outlives_its_response_may_trickle_only_as_long_as_the_response_goes_on() {
    let (deadlines, upload) = uploading();
    deadlines.begin_body();
    upload.wait_for_client();
    for _ in 0..10 {
        let polled = deadlines.poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        advance(seconds(39)).await;
        deadlines.record_moved();
    }
    deadlines.end_exchange();
    let cut = trickle(&deadlines, &upload, 1).await;
    assert_eq!(cut, (Expired::Connection, 44));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_keeps_to_the_rate_may_pause_again_and_again() {
    let (deadlines, upload) = uploading();
    deadlines.begin_response_head();
    for _ in 0..100 {
        upload.wait_for_client();
        let polled = deadlines.poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        advance(seconds(39)).await;
        deadlines.record_read();
        upload.add(390);
    }
    // What is sent in advance wins no more than the idle time.
    upload.add(1_000_000);
    upload.wait_for_client();
    assert_eq!(next(&deadlines).await, (Expired::Exchange, 40));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_its_origin_takes_slowly_is_not_too_slow() {
    let (deadlines, upload) = uploading();
    deadlines.begin_response_head();
    for _ in 0..100 {
        upload.add(1);
        advance(seconds(39)).await;
        deadlines.record_moved();
    }
    assert_eq!(next(&deadlines).await, (Expired::Exchange, 40));
    let failure = deadlines.take_failure();
    assert!(matches!(failure, Some(Error::ResponseTimeout)));
}

/// The least of all limits.
fn with_body_time() -> Deadlines {
    Deadlines::new(Rc::new(Limits {
        body_time: Some(seconds(3)),
        ..Limits::default()
    }))
}

#[tokio::test(start_paused = true)]
async fn a_body_has_a_time_as_a_whole_where_that_is_configured() {
    let deadlines = with_body_time();
    deadlines.begin_exchange();
    let upload = Rc::new(UploadProgress::default());
    deadlines.track_upload(upload.clone());
    deadlines.begin_response_head();
    advance(seconds(10)).await;
    upload.add(1_000_000);
    assert_eq!(
        trickle(&deadlines, &upload, 1).await,
        (Expired::Exchange, 3)
    );
    let failure = deadlines.take_failure();
    assert!(matches!(failure, Some(Error::RequestTimeout)));

    let deadlines = with_body_time();
    deadlines.begin_exchange();
    deadlines.begin_body();
    advance(seconds(2)).await;
    deadlines.record_moved();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 1));
    let failure = deadlines.take_failure();
    assert!(matches!(failure, Some(Error::ResponseTooSlow)));
}

#[tokio::test(start_paused = true)]
async fn the_origin_has_its_time_from_the_end_of_the_upload() {
    let (deadlines, upload) = uploading();
    deadlines.begin_response_head();
    upload.add(1);
    advance(seconds(25)).await;
    upload.end();
    assert_eq!(next(&deadlines).await, (Expired::Exchange, 30));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_outlives_its_response_goes_on_while_it_moves() {
    let (deadlines, upload) = uploading();
    deadlines.begin_body();
    upload.add(1);
    deadlines.end_exchange();
    advance(seconds(39)).await;
    deadlines.record_read();
    advance(seconds(39)).await;
    upload.end();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 20));
}

#[tokio::test(start_paused = true)]
async fn a_body_rests_for_the_idle_time() {
    let deadlines = in_exchange();
    deadlines.begin_body();
    advance(seconds(39)).await;
    deadlines.record_moved();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 40));
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_rests_for_the_idle_time() {
    let deadlines = in_exchange();
    deadlines.begin_tunnel();
    advance(seconds(39)).await;
    deadlines.record_moved();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 40));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_an_idle_tunnel_and_leaves_any_other_to_its_idle_time() {
    let deadlines = in_exchange();
    deadlines.begin_tunnel();
    advance(Duration::from_millis(999)).await;
    // The signal is seen whenever the tunnel is polled, and the first time counts.
    deadlines.begin_tunnel_drain(Speaker::Origin);
    advance(seconds(10)).await;
    deadlines.record_moved();
    advance(seconds(39)).await;
    deadlines.begin_tunnel_drain(Speaker::Origin);
    assert_eq!(next(&deadlines).await, (Expired::Connection, 1));

    let deadlines = in_exchange();
    deadlines.begin_tunnel();
    advance(seconds(1)).await;
    deadlines.begin_tunnel_drain(Speaker::Origin);
    assert_eq!(next(&deadlines).await, (Expired::Connection, 0));

    let deadlines = in_exchange();
    deadlines.begin_tunnel();
    advance(seconds(9)).await;
    // The client waits for an answer.
    deadlines.begin_tunnel_drain(Speaker::Client);
    assert_eq!(next(&deadlines).await, (Expired::Connection, 31));
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_in_a_tunnel_has_a_time_that_no_byte_extends() {
    let deadlines = deadlines();
    deadlines.begin_tunnel();
    deadlines.begin_first_message();
    advance(seconds(6)).await;
    deadlines.record_moved();
    deadlines.begin_first_message();
    assert_eq!(next(&deadlines).await, (Expired::FirstMessage, 1));
    // Then it is a tunnel like any other.
    assert_eq!(next(&deadlines).await, (Expired::Connection, 39));
    deadlines.begin_tunnel();
    deadlines.begin_first_message();
    deadlines.end_first_message();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 40));
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_tunnel_has_less_time_to_rest() {
    let deadlines = in_exchange();
    deadlines.begin_tunnel();
    advance(seconds(10)).await;
    deadlines.record_half_closed_tunnel();
    advance(seconds(4)).await;
    // Seen again whenever the tunnel is polled; the first time counts, and then the last byte.
    deadlines.record_half_closed_tunnel();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 1));
    deadlines.record_moved();
    assert_eq!(next(&deadlines).await, (Expired::Connection, 5));
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_exchange_is_looked_at_and_then_cut() {
    let deadlines = in_exchange();
    assert!(deadlines.holds_back_end());
    deadlines.begin_response_head();
    for _ in 0..4 {
        assert_eq!(next(&deadlines).await, (Expired::Look, 1));
    }
    assert_eq!(next(&deadlines).await, (Expired::Connection, 1));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_stream_is_not_held_back_when_nothing_else_is_awaited() {
    let deadlines = deadlines();
    assert!(!deadlines.holds_back_end());
    deadlines.begin_exchange();
    let upload = Rc::new(UploadProgress::default());
    deadlines.track_upload(upload.clone());
    assert!(!deadlines.holds_back_end());
    upload.end();
    assert!(deadlines.holds_back_end());
    deadlines.end_exchange();
    assert!(
        deadlines.holds_back_end(),
        "the response is not written yet"
    );
    assert!(deadlines.record_flushed(), "the end has to be read now");
    assert!(!deadlines.holds_back_end());
}

/// Bytes that come without end keep a task from resting, and the runtime's clock with it.
async fn is_over_for_a_task_that_never_rests(deadlines: &Deadlines, limit: Duration) -> Expired {
    let mut passing = pin!(advance(limit));
    poll_fn(|cx| {
        assert_eq!(deadlines.poll(cx), Poll::Pending);
        // The clock has advanced, and the runtime has not looked at its timers.
        assert!(passing.as_mut().poll(cx).is_pending());
        let expired = deadlines.poll(cx);
        assert!(expired.is_ready(), "it waits for the runtime's clock");
        expired
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_response_is_late_even_for_a_task_that_never_rests() {
    let limit = Duration::from_millis(50);
    let deadlines = Deadlines::new(Rc::new(Limits {
        response_head: limit,
        ..Limits::default()
    }));
    deadlines.begin_exchange();
    deadlines.begin_response_head();
    let expired = is_over_for_a_task_that_never_rests(&deadlines, limit).await;
    assert_eq!(expired, Expired::Exchange);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_body_holds_even_for_a_task_that_never_rests() {
    let limit = Duration::from_millis(50);
    let deadlines = Deadlines::new(Rc::new(Limits {
        body_time: Some(limit),
        ..Limits::default()
    }));
    deadlines.begin_exchange();
    deadlines.begin_body();
    let expired = is_over_for_a_task_that_never_rests(&deadlines, limit).await;
    assert_eq!(expired, Expired::Connection);
    let failure = deadlines.take_failure();
    assert!(matches!(failure, Some(Error::ResponseTooSlow)));
}
