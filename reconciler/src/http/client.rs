//! A small client for our own interface: one GET over plain HTTP, capped in bytes and time.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes, client::conn::http1, header, http::uri::Authority};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::{net::TcpStream, time::timeout};

/// The status of some thousand clusters.
const MAX_BYTES: usize = 256 << 20;
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a process did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the server URL `{0}` cannot be used")]
    Url(String),
    #[error("asking {url}: {cause}")]
    Unreachable { url: String, cause: std::io::Error },
    #[error("asking {url}: no answer within {} s", PATIENCE.as_secs())]
    TimedOut { url: String },
    #[error("asking {url}: the answer is not ours: {problem}")]
    Foreign { url: String, problem: String },
    #[error("asking {url}: {status}: {body}")]
    Refused { url: String, status: u16, body: String },
}

impl ClientError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Url(_) => "write http://HOST:PORT; the interface speaks plain HTTP on loopback",
            Self::Unreachable { .. } => "check that `run` is up and listens there (`http.listen`)",
            Self::TimedOut { .. } => "check the load of that machine, and the log of `run`",
            Self::Foreign { .. } => "check the port: another program answers there",
            Self::Refused { .. } => "check the name; `status` without one lists all clusters",
        }
    }
}

/// Reads the JSON at `path` of `server`.
///
/// # Errors
/// A URL, server or answer that cannot be used.
pub async fn get<T: DeserializeOwned>(server: &str, path: &str) -> Result<T, ClientError> {
    let authority: Authority = server
        .strip_prefix("http://")
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .filter(|authority: &Authority| !authority.as_str().contains('@'))
        .ok_or_else(|| ClientError::Url(server.to_owned()))?;
    let url = format!("http://{authority}{path}");
    let answer = timeout(PATIENCE, exchange(&authority, path, &url));
    let (status, body) = answer.await.map_err(|_| ClientError::TimedOut { url: url.clone() })??;
    if status != 200 {
        let body = String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).take(300).collect();
        return Err(ClientError::Refused { url, status, body });
    }
    serde_json::from_slice(&body).map_err(|error| ClientError::Foreign { url, problem: error.to_string() })
}

async fn exchange(authority: &Authority, path: &str, url: &str) -> Result<(u16, Bytes), ClientError> {
    let foreign = |problem: String| ClientError::Foreign { url: url.to_owned(), problem };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .map_err(|cause| ClientError::Unreachable { url: url.to_owned(), cause })?;
    let request = Request::get(path)
        .header(header::HOST, authority.as_str())
        .header(header::ACCEPT, "application/json")
        .body(Empty::<Bytes>::new())
        .map_err(|error| foreign(error.to_string()))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| foreign(error.to_string()))?;
    let asked = async {
        let answer = sender.send_request(request).await.map_err(|error| foreign(error.to_string()))?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        Ok((status, body.map_err(|error| foreign(error.to_string()))?.to_bytes()))
    };
    // The connection does the work; it ends when the answer is whole.
    tokio::pin!(asked);
    tokio::select! {
        answer = &mut asked => answer,
        ended = connection => match ended {
            Ok(()) => asked.await,
            Err(error) => Err(foreign(error.to_string())),
        },
    }
}
