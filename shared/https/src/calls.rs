//! Calls to small servers on this machine: their answers, and the errors without an answer.

use std::time::Duration;

use bytes::Bytes;
use ports::{BodyHead, Http, HttpError, Reach};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Client;

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(200);

/// The server's behaviour after it has read a whole request.
enum Then {
    Answer(&'static str),
    Close,
    Silence,
}

/// Serves one connection on a free port, and returns the request it read.
async fn serve(then: Then) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[expect(clippy::disallowed_methods, reason = "the server of a test outlives the call to it")]
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        match then {
            Then::Answer(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Then::Close => drop(stream),
            Then::Silence => std::future::pending().await,
        }
        request
    });
    (port, served)
}

/// Reads until the end marker that every request of these tests carries.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !read.ends_with(b"end") {
        let count = stream.read(&mut buffer).await.unwrap();
        assert_ne!(count, 0, "the caller hung up");
        read.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(read).unwrap()
}

async fn call(
    url: &str,
    reach: Reach,
    timeout: Duration,
) -> Result<http::Response<Bytes>, HttpError> {
    let request = http::Request::post(url).body(Bytes::from_static(b"body's end")).unwrap();
    Client::new().unwrap().call(request, reach, timeout).await
}

async fn call_local(port: u16, timeout: Duration) -> Result<http::Response<Bytes>, HttpError> {
    call(&format!("http://127.0.0.1:{port}/path?query=1"), Reach::Configured, timeout).await
}

#[tokio::test]
async fn answer_is_returned_whole() {
    let text = "HTTP/1.1 402 Payment Required\r\nx-id: 7\r\ncontent-length: 4\r\n\r\nnope";
    let (port, served) = serve(Then::Answer(text)).await;
    let answer = call_local(port, LONG).await.unwrap();
    assert_eq!(answer.status(), 402);
    assert_eq!(answer.headers()["x-id"], "7");
    assert_eq!(answer.body(), "nope");
    let request = served.await.unwrap();
    assert!(request.starts_with("POST /path?query=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{request}");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let text = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let (port, _served) = serve(Then::Answer(text)).await;
    let answer = call_local(port, LONG).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()["location"], "http://127.0.0.1:1/");
}

#[tokio::test]
async fn refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert!(matches!(call_local(port, LONG).await, Err(HttpError::NotSent(_))));
}

#[tokio::test]
async fn unknown_name_is_not_sent() {
    let answer = call("https://unknown.invalid/", Reach::Configured, LONG).await;
    assert!(matches!(answer, Err(HttpError::NotSent(_))));
}

#[tokio::test]
async fn hang_up_after_the_request_is_lost() {
    let (port, served) = serve(Then::Close).await;
    assert!(matches!(call_local(port, LONG).await, Err(HttpError::Lost(_))));
    assert!(served.await.unwrap().ends_with("body's end"));
}

#[tokio::test]
async fn timeout_after_the_request_is_lost() {
    let (port, _served) = serve(Then::Silence).await;
    assert!(matches!(call_local(port, SHORT).await, Err(HttpError::Lost(_))));
}

#[tokio::test]
async fn truncated_answer_is_lost() {
    let (port, _served) =
        serve(Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")).await;
    assert!(matches!(call_local(port, LONG).await, Err(HttpError::Lost(_))));
}

#[tokio::test]
async fn answer_beyond_the_limit_is_lost() {
    let body = "x".repeat(1024 * 1024 + 1);
    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let text: &'static str = text.leak();
    let (port, _served) = serve(Then::Answer(text)).await;
    assert!(matches!(call_local(port, LONG).await, Err(HttpError::Lost(_))));

    let (port, _served) = serve(Then::Answer(text)).await;
    let patient = Client::new().unwrap().with_answers_up_to(2 * 1024 * 1024);
    let request = http::Request::post(format!("http://127.0.0.1:{port}/"));
    let request = request.body(Bytes::from_static(b"end")).unwrap();
    let answer = patient.call(request, Reach::Configured, LONG).await.unwrap();
    assert_eq!(answer.body().len(), body.len());
}

#[tokio::test]
async fn timeout_in_the_handshake_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("https://127.0.0.1:{port}/");
    assert!(matches!(call(&url, Reach::Configured, SHORT).await, Err(HttpError::NotSent(_))));
}

#[tokio::test]
async fn private_endpoint_of_a_brand_is_forbidden() {
    for url in [
        "http://example.com/",
        "https://example.com:22/",
        "https://example.com:80/",
        "https://example.com:0/",
        "https://127.0.0.1:8443/",
        "https://169.254.169.254:8443/",
        "https://user:secret@example.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        // The system's resolver reads all of these as 127.0.0.1.
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://127.1/",
        "/no-authority",
    ] {
        for reach in [Reach::Public, Reach::PublicProvider] {
            let answer = call(url, reach, LONG).await;
            assert!(matches!(answer, Err(HttpError::Forbidden)), "{url}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn public_endpoint_may_have_an_unprivileged_port() {
    for port in ["", ":443", ":1024", ":8443", ":65535"] {
        let answer = call(&format!("https://unknown.invalid{port}/"), Reach::Public, LONG).await;
        assert!(matches!(answer, Err(HttpError::NotSent(_))), "{port}: {answer:?}");
    }
}

#[tokio::test]
async fn beginning_of_a_body_is_read_and_its_rest_left() {
    let endless = "HTTP/1.1 200 OK\r\nretry-after: 7\r\ncontent-length: 9999999\r\n\r\nx";
    let long = "HTTP/1.1 200 OK\r\nretry-after: 7\r\ncontent-length: 12\r\n\r\nabcdefghijkl";
    let empty = "HTTP/1.1 204 No Content\r\nretry-after: 7\r\n\r\n";
    for (text, head) in [(endless, "x"), (long, "abcdefgh"), (empty, "")] {
        let (port, _served) = serve(Then::Answer(text)).await;
        let mut request = http::Request::post(format!("http://127.0.0.1:{port}/"))
            .body(Bytes::from_static(b"end"))
            .unwrap();
        request.extensions_mut().insert(BodyHead(8));
        let answer = Client::new().unwrap().call(request, Reach::Configured, LONG).await.unwrap();
        assert!(answer.status().is_success());
        assert_eq!(answer.body(), head);
        assert_eq!(answer.headers()["retry-after"], "7");
    }
}

#[tokio::test]
async fn credentials_in_any_address_are_forbidden() {
    let answer = call("https://user:secret@example.com/", Reach::Configured, LONG).await;
    assert!(matches!(answer, Err(HttpError::Forbidden)));
}
