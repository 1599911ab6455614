//! A small client for our own interface: one request over plain HTTP, capped in bytes and time.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1,
    header,
    http::{request, uri::Authority},
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, time::timeout};

use super::{Problem, requests::REQUESTED_WITH};

/// The status of some thousand clusters.
const MAX_BYTES: usize = 256 << 20;
const PATIENCE: Duration = Duration::from_secs(20);
/// A restore is recorded only after its backup was hashed again, and backups can be large.
const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// Why a process did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the server URL `{0}` cannot be used")]
    Url(String),
    #[error("asking {url}: {cause}")]
    Unreachable { url: String, cause: std::io::Error },
    #[error("asking {url}: no answer within {} s", patience.as_secs())]
    TimedOut { url: String, patience: Duration },
    #[error("asking {url}: the answer is not ours: {problem}")]
    Foreign { url: String, problem: String },
    #[error("asking {url}: {status}: {error}")]
    Refused { url: String, status: u16, error: String, help: Option<String> },
}

impl ClientError {
    /// What to do about it.
    pub fn help(&self) -> &str {
        match self {
            Self::Url(_) => "write http://HOST:PORT; the interface speaks plain HTTP on loopback",
            Self::Unreachable { .. } => "check that `run` is up and listens there (`http.listen`)",
            Self::TimedOut { .. } => "check the load of that machine, and the log of `run`",
            Self::Foreign { .. } => "check the port: another program answers there",
            Self::Refused { help, .. } => {
                help.as_deref().unwrap_or("check the name; `status` without one lists all clusters")
            }
        }
    }
}

/// Reads the JSON at `path` of `server`.
///
/// # Errors
/// A URL, server or answer that cannot be used.
pub async fn get<T: DeserializeOwned>(server: &str, path: &str) -> Result<T, ClientError> {
    ask(server, path, Request::get(path), Bytes::new(), PATIENCE).await
}

/// Sends `wanted` to `path` of `server`.
///
/// # Errors
/// As [`get`].
pub async fn post<T: DeserializeOwned>(
    server: &str,
    path: &str,
    wanted: &impl Serialize,
) -> Result<T, ClientError> {
    let (name, value) = REQUESTED_WITH;
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").header(name, value);
    // Plain fields always serialise.
    let body = serde_json::to_vec(wanted).unwrap_or_default();
    ask(server, path, request, body.into(), LONG_PATIENCE).await
}

async fn ask<T: DeserializeOwned>(
    server: &str,
    path: &str,
    request: request::Builder,
    body: Bytes,
    patience: Duration,
) -> Result<T, ClientError> {
    let authority: Authority = server
        .strip_prefix("http://")
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .filter(|authority: &Authority| !authority.as_str().contains('@'))
        .ok_or_else(|| ClientError::Url(server.to_owned()))?;
    let url = format!("http://{authority}{path}");
    let answer = timeout(patience, exchange(&authority, request, body, &url));
    let (status, body) = answer.await.map_err(|_| ClientError::TimedOut { url: url.clone(), patience })??;
    if !(200..300).contains(&status) {
        return Err(refused(url, status, &body));
    }
    serde_json::from_slice(&body).map_err(|error| ClientError::Foreign { url, problem: error.to_string() })
}

/// Our own words where the answer has them, else what came, made harmless.
fn refused(url: String, status: u16, body: &[u8]) -> ClientError {
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(500).collect::<String>();
    let (error, help) = match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { error, help }) => (clean(&error), Some(clean(&help))),
        Err(_) => (clean(&String::from_utf8_lossy(body)), None),
    };
    ClientError::Refused { url, status, error, help }
}

async fn exchange(
    authority: &Authority,
    request: request::Builder,
    body: Bytes,
    url: &str,
) -> Result<(u16, Bytes), ClientError> {
    let foreign = |problem: String| ClientError::Foreign { url: url.to_owned(), problem };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .map_err(|cause| ClientError::Unreachable { url: url.to_owned(), cause })?;
    let request = request
        .header(header::HOST, authority.as_str())
        .header(header::ACCEPT, "application/json")
        .body(Full::new(body))
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
