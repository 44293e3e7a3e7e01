//! What the guarded fetch refuses, against servers of the test's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Instant;

use config::human::{ByteSize, HumanDuration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn limits() -> Fetch {
    Fetch {
        allow_loopback: true,
        timeout: HumanDuration::from_secs(20),
        body_max: ByteSize::kib(64),
        ..Fetch::default()
    }
}

/// A server that answers each request by its path.
async fn server(answer: fn(&str, SocketAddr) -> String) -> SocketAddr {
    serve(move |mut stream, path, here| async move {
        // The client may have hung up.
        let _ = stream.write_all(answer(&path, here).as_bytes()).await;
    })
    .await
}

async fn serve<F, R>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream, String, SocketAddr) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            assert!(!head.to_ascii_lowercase().contains("\r\nreferer:"), "{head}");
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            tokio::spawn(handle(stream, path, here));
        }
    });
    here
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/yaml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn to(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

/// Answers from a script, the last one for ever, and counts the questions.
struct Script(Mutex<(usize, Vec<Vec<IpAddr>>)>);

impl Script {
    fn new(answers: Vec<Vec<IpAddr>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new((0, answers))))
    }

    fn questions(&self) -> usize {
        self.0.lock().unwrap().0
    }
}

impl Lookup for Script {
    fn lookup(&self, _host: String) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        let mut script = self.0.lock().unwrap();
        let answer = script.1[script.0.min(script.1.len() - 1)].clone();
        script.0 += 1;
        Box::pin(async move { Ok(answer) })
    }
}

#[tokio::test]
async fn what_is_allowed_is_fetched() {
    let here = server(|_, _| ok("openapi: 3.0.1")).await;
    let fetched = GuardedFetch::new(&limits()).get(&format!("http://{here}/a.yaml?x=1")).await.unwrap();
    assert_eq!(fetched.body, b"openapi: 3.0.1");
    assert_eq!(fetched.content_type.as_deref(), Some("text/yaml"));
}

#[tokio::test]
async fn loopback_is_refused_by_default_whatever_its_spelling() {
    let here = server(|_, _| ok("secret")).await;
    let port = here.port();
    let fetch = GuardedFetch::new(&Fetch { allow_private: true, ..Fetch::default() });
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "LOCALHOST",
    ] {
        let error = fetch.get(&format!("http://{host}:{port}/x?token=t")).await.unwrap_err();
        assert!(matches!(error, FetchError::Refused { .. }), "{host}: {error:?}");
        assert!(!error.to_string().contains("token"), "{error}");
    }
    let error = fetch.get(&format!("http://2130706433:{port}/x")).await.unwrap_err();
    let expected = format!("'http://127.0.0.1:{port}/x' cannot be fetched: loopback addresses are not allowed");
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn only_plain_web_urls_are_taken() {
    let fetch = GuardedFetch::new(&limits());
    for url in
        ["file:///etc/passwd", "ftp://example.org/x", "gopher://x/", "data:text/plain,x", "/relative", "", "http://"]
    {
        assert!(matches!(fetch.get(url).await, Err(FetchError::Refused { .. })), "{url}");
    }
    let error = fetch.get("http://user:hunter2@example.org/x").await.unwrap_err().to_string();
    assert_eq!(error, "'http://example.org/x' cannot be fetched: the URL must not contain credentials");
    let error = fetch.get("http://user:hunter2@exa mple").await.unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn redirects_are_followed_and_counted() {
    let here = server(|path, _| match path {
        "/1" => to("/2"),
        "/2" => to("3"),
        "/3" => ok("done"),
        _ => to("/loop"),
    })
    .await;
    let fetch = GuardedFetch::new(&limits());
    let fetched = fetch.get(&format!("http://{here}/1")).await.unwrap();
    assert_eq!((fetched.url.path(), fetched.body.as_slice()), ("/3", b"done".as_slice()));
    let error = fetch.get(&format!("http://{here}/loop")).await.unwrap_err();
    assert!(matches!(error, FetchError::TooManyRedirects { max: 3, .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_cannot_lead_where_a_url_may_not() {
    let here = server(|path, _| match path {
        "/private" => to("http://10.0.0.1/"),
        "/metadata" => to("http://169.254.169.254/latest/meta-data"),
        "/file" => to("file:///etc/passwd"),
        "/credentials" => to("http://a:b@example.org/"),
        _ => "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
    })
    .await;
    let fetch = GuardedFetch::new(&limits());
    for path in ["private", "metadata", "file", "credentials", "nowhere"] {
        let error = fetch.get(&format!("http://{here}/{path}")).await.unwrap_err();
        assert!(matches!(error, FetchError::Refused { .. }), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_is_resolved_once_and_its_answer_is_what_counts() {
    let here = server(|_, _| ok("hello")).await;
    let script = Script::new(vec![vec![HERE], vec!["10.0.0.1".parse().unwrap()]]);
    let fetch = GuardedFetch::with_lookup(&limits(), script.clone());
    let url = format!("http://rebind.example:{}/", here.port());
    assert_eq!(fetch.get(&url).await.unwrap().body, b"hello");
    assert_eq!(script.questions(), 1, "a second look-up would be a second answer");
    let error = fetch.get(&url).await.unwrap_err().to_string();
    assert!(error.ends_with("private and link-local addresses are not allowed"), "{error}");
}

#[tokio::test]
async fn a_name_that_changes_its_address_between_redirects_is_checked_again() {
    let here = server(|_, here| to(&format!("http://rebind.example:{}/", here.port()))).await;
    let script = Script::new(vec![vec![HERE], vec!["192.168.0.1".parse().unwrap()]]);
    let fetch = GuardedFetch::with_lookup(&limits(), script.clone());
    let error = fetch.get(&format!("http://rebind.example:{}/", here.port())).await.unwrap_err();
    assert!(matches!(error, FetchError::Refused { .. }), "{error:?}");
    assert_eq!(script.questions(), 2);
}

#[tokio::test]
async fn of_several_addresses_only_allowed_ones_are_tried() {
    let here = server(|_, _| ok("hello")).await;
    let script = Script::new(vec![vec!["10.0.0.1".parse().unwrap(), HERE]]);
    let fetch = GuardedFetch::with_lookup(&limits(), script);
    assert!(fetch.get(&format!("http://both.example:{}/", here.port())).await.is_ok());
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    let here = serve(|mut stream, path, _| async move {
        let framing = if path == "/chunked" { "transfer-encoding: chunked\r\n" } else { "" };
        let piece = if path == "/chunked" { format!("400\r\n{}\r\n", "x".repeat(1024)) } else { "x".repeat(1024) };
        let head = format!("HTTP/1.1 200 OK\r\n{framing}connection: close\r\n\r\n");
        if stream.write_all(head.as_bytes()).await.is_ok() {
            while stream.write_all(piece.as_bytes()).await.is_ok() {}
        }
    })
    .await;
    let fetch = GuardedFetch::new(&limits());
    for path in ["chunked", "plain"] {
        let error = fetch.get(&format!("http://{here}/{path}")).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { max: 65_536, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read() {
    let here = server(|_, _| "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n".to_owned()).await;
    let error = GuardedFetch::new(&limits()).get(&format!("http://{here}/")).await.unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn compressed_bodies_are_refused() {
    let here =
        server(|_, _| "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx".to_owned()).await;
    let error = GuardedFetch::new(&limits()).get(&format!("http://{here}/")).await.unwrap_err();
    assert!(error.to_string().ends_with("compressed body"), "{error}");
}

#[tokio::test]
async fn a_slow_answer_ends_with_the_time() {
    let here = serve(|mut stream, _, _| async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        if stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await.is_ok() {
            while stream.write_all(b"x").await.is_ok() {
                tick.tick().await;
            }
        }
    })
    .await;
    let fetch = GuardedFetch::new(&Fetch { timeout: HumanDuration::from_millis(300), ..limits() });
    let start = Instant::now();
    let error = fetch.get(&format!("http://{here}/")).await.unwrap_err();
    assert!(matches!(error, FetchError::TimedOut { .. }), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn failures_tell_no_more_than_needed() {
    let here = server(|_, _| "HTTP/1.1 503 Busy\r\ncontent-length: 6\r\n\r\nsecret".to_owned()).await;
    let fetch = GuardedFetch::new(&limits());
    let error = fetch.get(&format!("http://{here}/x?key=k")).await.unwrap_err().to_string();
    assert_eq!(error, format!("'http://{here}/x' cannot be fetched: it answered with status 503"));
    let closed = TcpListener::bind((HERE, 0)).await.unwrap().local_addr().unwrap();
    let error = fetch.get(&format!("http://{closed}/")).await.unwrap_err().to_string();
    assert_eq!(error, format!("'http://{closed}/' cannot be reached"));
}
