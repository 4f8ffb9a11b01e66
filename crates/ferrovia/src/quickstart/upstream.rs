//! A small HTTP server that says who it is and what it was asked.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves until the program ends.
pub(crate) async fn serve(name: &'static str, listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(async move {
                    // A client that went away is nobody to talk to.
                    let _ = tokio::time::timeout(PATIENCE, answer(name, stream)).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a server of the quick start cannot accept connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Answers one request and closes the connection.
async fn answer(name: &str, mut stream: TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let body = describe(name, &String::from_utf8_lossy(&head));
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await?;
    // Reading what is left of the request keeps the answer from being reset on its way.
    let mut rest = stream.take(BODY_BYTES_MAX);
    tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
    Ok(())
}

/// The answer's text, from the request's head.
fn describe(name: &str, head: &str) -> String {
    let mut lines = head.lines();
    let request_line = lines.next().unwrap_or_default();
    let request = request_line.rsplit_once(' ').map_or(request_line, |(request, _)| request);
    let mut text = format!("Hello from server {name}. You asked: {request}\n");
    for line in lines {
        if let Some((field, value)) = line.split_once(':')
            && SHOWN.iter().any(|shown| shown.eq_ignore_ascii_case(field))
        {
            text.push_str(&format!("  {field}: {}\n", value.trim()));
        }
    }
    text
}

const SHOWN: [&str; 4] = ["Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Quickstart"];
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: &str) {
        assert_eq!(describe("one", head), expected);
    }

    #[test]
    fn the_answer_tells_what_was_asked() {
        check(
            "GET /a?b HTTP/1.1\r\nHost: x:1\r\nAccept: */*\r\nx-forwarded-for:  1.2.3.4 \r\n\r\n",
            "Hello from server one. You asked: GET /a?b\n  Host: x:1\n  x-forwarded-for: 1.2.3.4\n",
        );
        check("\r\n\r\n", "Hello from server one. You asked: \n");
    }
}
