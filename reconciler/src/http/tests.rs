use std::sync::atomic::{AtomicBool, Ordering};

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt;

use super::*;
use crate::store::EventKind;

#[derive(Default)]
struct Fake {
    ready: AtomicBool,
}

impl Shown for Fake {
    fn status(&self) -> Arc<FleetStatus> {
        Arc::new(FleetStatus::new("test"))
    }

    fn events(
        &self,
        cluster: Option<ClusterName>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<Event>, StoreError>> {
        let mut event =
            Event::new(jiff::Timestamp::UNIX_EPOCH, EventKind::CommitSeen, format!("at most {limit}"));
        event.cluster = cluster;
        Box::pin(async { Ok(vec![event]) })
    }

    fn request(
        &self,
        cluster: ClusterName,
        wanted: requests::Wanted,
    ) -> BoxFuture<'_, Result<requests::Recorded, requests::Unrecorded>> {
        Box::pin(async move {
            if cluster.as_str() != "brussels" {
                return Err(requests::Unrecorded::UnknownCluster);
            }
            if wanted.kind == requests::Kind::Abort {
                let (error, help) = ("not now".to_owned(), "wait".to_owned());
                return Err(requests::Unrecorded::Conflict { error, help });
            }
            let request = format!("{:?} by {:?}: {:?}", wanted.kind, wanted.by, wanted.reason);
            Ok(requests::Recorded { format_version: "1.0".to_owned(), cluster, id: 7, request })
        })
    }

    fn ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }
}

async fn ask(router: &Router, method: &str, path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("it is a request");
    let response = router.clone().oneshot(request).await.expect("a router always answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("the body is short");
    (status, headers, String::from_utf8(body.to_vec()).expect("the body is text"))
}

#[tokio::test]
async fn every_route_answers_and_none_writes() {
    let router = router(Arc::new(Fake::default()), Metrics::new());
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 503),
        ("/metrics", 200),
        ("/api/v1/clusters", 200),
        ("/api/v1/clusters/nowhere", 404),
        ("/api/v1/clusters/..%2f..%2fetc", 404),
        ("/api/v1/events", 200),
        ("/api/v1/events?limit=many", 400),
        ("/api/v1/events?cluster=../etc", 400),
        ("/api/v1/events?order=up", 400),
        ("/elsewhere", 404),
    ] {
        let (got, headers, body) = ask(&router, "GET", path).await;
        assert_eq!(got.as_u16(), status, "{path}: {body}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let (got, ..) = ask(&router, method, path).await;
            assert!(matches!(got.as_u16(), 404 | 405), "{method} {path}: {got}");
        }
    }
}

#[tokio::test]
async fn the_listener_of_metrics_serves_health_and_figures_alone() {
    let router = monitoring::router(Arc::new(Fake::default()), Metrics::new());
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 503),
        ("/metrics", 200),
        ("/api/v1/clusters", 404),
        ("/api/v1/clusters/brussels", 404),
        ("/api/v1/events", 404),
        ("/metrics/../api/v1/clusters", 404),
        ("/", 404),
    ] {
        let (got, headers, body) = ask(&router, "GET", path).await;
        assert_eq!(got.as_u16(), status, "{path}: {body}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let (got, ..) = ask(&router, method, path).await;
            assert!(matches!(got.as_u16(), 404 | 405), "{method} {path}: {got}");
        }
    }
}

#[tokio::test]
async fn health_and_figures_may_be_shown_on_any_address_and_the_api_not() {
    let any = "0.0.0.0:0".parse().expect("it is an address");
    assert!(matches!(bind(any).await, Err(HttpError::Open(_))), "the API stays on loopback");
    let bound = monitoring::Monitoring::bind(any).await.expect("a port is free");
    let server = format!("http://127.0.0.1:{}", bound.address().port());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(bound.serve(Arc::new(Fake::default()), Metrics::new(), stop.clone()));
    let error = client::get::<FleetStatus>(&server, "/api/v1/clusters").await.expect_err("there is no API");
    assert!(matches!(error, client::ClientError::Refused { status: 404, .. }), "{error}");
    stop.cancel();
    serving.await.expect("the server does not panic").expect("the server ends well");
}

/// Regression: a client that never finished its request held up the end of the process for ever.
#[tokio::test]
async fn a_request_without_end_does_not_hold_up_the_end() {
    let bound = bind("127.0.0.1:0".parse().expect("it is an address")).await.expect("a port is free");
    let mut client = tokio::net::TcpStream::connect(bound.address).await.expect("the server listens");
    let stop = CancellationToken::new();
    let router = router(Arc::new(Fake::default()), Metrics::new());
    let serving = tokio::spawn(bound.serve_then(router, stop.clone(), Duration::from_millis(20)));
    // One whole request, so that the connection is known to be served, and the beginning of another.
    let half = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost:";
    client.write_all(half).await.expect("the server reads");
    let mut answer = [0; 15];
    client.read_exact(&mut answer).await.expect("the server answers");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    stop.cancel();
    serving.await.expect("the server does not panic").expect("the server ends well");
}

#[tokio::test]
async fn ready_follows_the_first_load() {
    let fake = Arc::new(Fake::default());
    let router = router(Arc::<Fake>::clone(&fake), Metrics::new());
    assert_eq!(ask(&router, "GET", "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    fake.ready.store(true, Ordering::Relaxed);
    assert_eq!(ask(&router, "GET", "/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn the_status_is_the_document_itself() {
    let router = router(Arc::new(Fake::default()), Metrics::new());
    let (_, headers, body) = ask(&router, "GET", "/api/v1/clusters").await;
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    let status: FleetStatus = serde_json::from_str(&body).expect("it is a status");
    assert_eq!(status, FleetStatus::new("test"));
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused() {
    for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let error =
            bind(open.parse().expect("it is an address")).await.expect_err("nobody asked for a password");
        assert!(matches!(error, HttpError::Open(_)), "{open}: {error}");
        assert!(error.help().contains("loopback"));
    }
}

#[tokio::test]
async fn the_client_reads_what_the_server_shows() {
    let bound = bind("127.0.0.1:0".parse().expect("it is an address")).await.expect("a port is free");
    let server = format!("http://{}", bound.address);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(bound.serve(router(Arc::new(Fake::default()), Metrics::new()), stop.clone()));
    let status: FleetStatus = client::get(&server, "/api/v1/clusters").await.expect("the server answers");
    assert_eq!(status.installation, "test");
    let error =
        client::get::<FleetStatus>(&server, "/api/v1/clusters/nowhere").await.expect_err("there is none");
    assert!(matches!(error, client::ClientError::Refused { status: 404, .. }), "{error}");
    stop.cancel();
    serving.await.expect("the server does not panic").expect("the server ends well");
    let error = client::get::<FleetStatus>(&server, "/api/v1/clusters").await.expect_err("it is gone");
    assert!(matches!(error, client::ClientError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_server_url_of_another_kind_says_what_to_write() {
    for bad in ["https://localhost:8080", "localhost:8080", "http://", "http://user@host:1", "http://a:1/x"] {
        let error = client::get::<FleetStatus>(bad, "/").await.expect_err("the URL is bad");
        assert!(error.help().contains("http://HOST:PORT"), "{bad}");
    }
}

#[tokio::test]
async fn the_history_can_be_asked_for_a_cluster_and_is_bounded() {
    let router = router(Arc::new(Fake::default()), Metrics::new());
    let (_, _, body) = ask(&router, "GET", "/api/v1/events?cluster=brussels&limit=4000000000").await;
    let history: History = serde_json::from_str(&body).expect("it is a history");
    assert_eq!(history.events[0].message, "at most 10000");
    assert_eq!(history.events[0].cluster.as_ref().map(ClusterName::as_str), Some("brussels"));
}

const REQUESTS: &str = "/api/v1/clusters/brussels/requests";

/// Sends a request that is right but for `change`.
async fn send(path: &str, body: &str, change: impl FnOnce(&mut axum::http::HeaderMap)) -> (u16, String) {
    let mut request = Request::post(path)
        .header("content-type", "application/json")
        .header("x-requested-with", "dataminer-reconciler")
        .body(Body::from(body.to_owned()))
        .expect("it is a request");
    change(request.headers_mut());
    let router = router(Arc::new(Fake::default()), Metrics::new());
    let response = router.oneshot(request).await.expect("a router always answers");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("the body is short");
    (status, String::from_utf8(body.to_vec()).expect("the body is text"))
}

#[tokio::test]
async fn a_request_is_recorded_with_who_and_why() {
    let body = r#"{"kind": "takeover", "reason": " the old one burned down ", "by": "ada"}"#;
    let (status, answer) = send(REQUESTS, body, |_| {}).await;
    assert_eq!(status, 202, "{answer}");
    let recorded: requests::Recorded = serde_json::from_str(&answer).expect("it is the record");
    assert_eq!(recorded.id, 7);
    assert_eq!(recorded.request, r#"Takeover by Some("ada"): Some("the old one burned down")"#);
}

/// A page in a browser can send a form, or a simple request, to loopback; it must do nothing.
#[tokio::test]
async fn a_request_that_a_browser_can_be_made_to_send_is_refused() {
    let body = r#"{"kind": "retry"}"#;
    assert_eq!(send(REQUESTS, body, |_| {}).await.0, 202);
    type Change = fn(&mut axum::http::HeaderMap);
    let changes: [(u16, Change); 6] = [
        (415, |headers| drop(headers.remove("content-type"))),
        (415, |headers| drop(headers.insert("content-type", HeaderValue::from_static("text/plain")))),
        (403, |headers| drop(headers.remove("x-requested-with"))),
        (403, |headers| drop(headers.insert("x-requested-with", HeaderValue::from_static("XMLHttpRequest")))),
        (403, |headers| drop(headers.insert("origin", HeaderValue::from_static("http://127.0.0.1:8080")))),
        (403, |headers| drop(headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin")))),
    ];
    for (status, change) in changes {
        let (got, answer) = send(REQUESTS, body, change).await;
        assert_eq!(got, status, "{answer}");
        assert!(answer.contains("help"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_that_makes_no_sense_says_what_to_write() {
    let long = format!(r#"{{"kind": "retry", "reason": "{}"}}"#, "x".repeat(2000));
    let huge = format!(r#"{{"kind": "retry", "reason": "{}"}}"#, "x".repeat(20_000));
    for (path, body, status, word) in [
        (REQUESTS, "", 400, "retry"),
        (REQUESTS, r#"{"kind": "explode"}"#, 400, "retry"),
        (REQUESTS, r#"{"kind": "retry", "force": true}"#, 400, "force"),
        (REQUESTS, r#"{"kind": "takeover"}"#, 400, "reason"),
        (REQUESTS, r#"{"kind": "takeover", "reason": "  "}"#, 400, "reason"),
        (REQUESTS, r#"{"kind": "restore", "backup": "0123456789"}"#, 400, "reason"),
        (REQUESTS, r#"{"kind": "restore", "reason": "why"}"#, 400, "backup list"),
        (REQUESTS, r#"{"kind": "retry", "backup": "0123456789"}"#, 400, "leave"),
        (REQUESTS, r#"{"kind": "approve"}"#, 400, "describe"),
        (REQUESTS, r#"{"kind": "approve", "plan": "0123456789ab", "backup": "0123456789"}"#, 400, "restore"),
        (REQUESTS, r#"{"kind": "retry", "plan": "0123456789ab"}"#, 400, "leave"),
        (
            REQUESTS,
            r#"{"kind": "restore", "backup": "0123456789", "plan": "0123456789ab", "reason": "why"}"#,
            400,
            "leave",
        ),
        (REQUESTS, r#"{"kind": "retry", "reason": "a\u001b[31m"}"#, 400, "control"),
        (REQUESTS, long.as_str(), 400, "1000"),
        (REQUESTS, huge.as_str(), 413, "16 KiB"),
        (REQUESTS, r#"{"kind": "abort"}"#, 409, "wait"),
        ("/api/v1/clusters/paris/requests", r#"{"kind": "retry"}"#, 404, "names"),
        ("/api/v1/clusters/..%2fetc/requests", r#"{"kind": "retry"}"#, 404, "names"),
    ] {
        let (got, answer) = send(path, body, |_| {}).await;
        assert_eq!(got, status, "{path} {body}: {answer}");
        assert!(answer.contains(word) && answer.contains("help"), "{path} {body}: {answer}");
    }
}

#[tokio::test]
async fn the_client_sends_requests_that_the_server_takes_and_reads_its_refusals() {
    let bound = bind("127.0.0.1:0".parse().expect("it is an address")).await.expect("a port is free");
    let server = format!("http://{}", bound.address);
    let stop = CancellationToken::new();
    let serving = tokio::spawn(bound.serve(router(Arc::new(Fake::default()), Metrics::new()), stop.clone()));
    let wanted = |kind| requests::Wanted { kind, reason: None, by: None, backup: None, plan: None };
    let recorded: requests::Recorded =
        client::post(&server, REQUESTS, &wanted(requests::Kind::Retry)).await.expect("it is recorded");
    assert_eq!(recorded.cluster.as_str(), "brussels");
    let error = client::post::<requests::Recorded>(&server, REQUESTS, &wanted(requests::Kind::Abort))
        .await
        .expect_err("not now");
    assert!(error.to_string().ends_with("409: not now"), "{error}");
    assert_eq!(error.help(), "wait");
    stop.cancel();
    serving.await.expect("the server does not panic").expect("the server ends well");
}
