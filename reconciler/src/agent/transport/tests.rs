//! The transport against OpenSSH's own server.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::{Connection, ExecLimits, Fingerprint, Receive, Timeouts};
use crate::agent::{
    error::{AgentError, Reason},
    testing::{Sshd, free_address, user},
};

async fn open(sshd: &Sshd, pins: &[Fingerprint], key: &str) -> Result<Connection, AgentError> {
    let host = sshd.address.ip().to_string();
    Connection::open(&host, sshd.address.port(), pins, &user(), &sshd.identity(key), Timeouts::default())
        .await
}

fn a_fingerprint() -> Fingerprint {
    "SHA256:uNiVztksCsDhcc0u9e8BrCpyFEKvEqB3KMQOaPWg0ck".parse().expect("a fingerprint")
}

#[tokio::test]
async fn commands_return_output_and_status() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = sshd.connect_through(sshd.address).await;
    let exec =
        connection.exec("echo out; echo err >&2; exit 3", ExecLimits::default()).await.expect("it runs");
    assert_eq!(
        (exec.status, exec.stdout.as_slice(), exec.stderr.as_slice()),
        (Some(3), &b"out\n"[..], &b"err\n"[..])
    );
    let limits = ExecLimits { stdout: 10, ..ExecLimits::default() };
    let exec = connection.exec("head -c 1000000 /dev/zero", limits).await.expect("it runs");
    assert!(exec.truncated);
    assert_eq!(exec.stdout.len(), 10);
    let limits = ExecLimits { time: Duration::from_millis(200), ..ExecLimits::default() };
    let error = connection.exec("sleep 60", limits).await.expect_err("it takes too long");
    assert_eq!(error.reason, Reason::Timeout);
    connection.close().await;
}

#[tokio::test]
async fn more_commands_at_once_than_the_server_has_channels_still_run() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = sshd.connect_through(sshd.address).await;
    let runs = (0..30).map(|_| connection.exec("echo x", ExecLimits::default()));
    for exec in futures::future::join_all(runs).await {
        assert_eq!(exec.expect("it runs").stdout, b"x\n");
    }
}

#[tokio::test]
async fn an_unpinned_host_is_refused_and_its_fingerprints_are_shown() {
    let Some(sshd) = Sshd::start() else { return };
    for pins in [vec![], vec![a_fingerprint()]] {
        let error = open(&sshd, &pins, "client").await.expect_err("not pinned");
        assert_eq!(error.reason, Reason::HostKeyRefused);
        let text = error.summary();
        for name in ["host_ed25519", "host_ecdsa"] {
            assert!(text.contains(&sshd.fingerprint(name).to_string()), "{text}");
        }
        assert!(text.contains("hostKey:"), "{text}");
    }
}

#[tokio::test]
async fn a_pinned_key_of_another_algorithm_is_found() {
    let Some(sshd) = Sshd::start() else { return };
    for pins in
        [vec![sshd.fingerprint("host_ecdsa")], vec![a_fingerprint(), sshd.fingerprint("host_ed25519")]]
    {
        assert!(open(&sshd, &pins, "client").await.is_ok());
    }
}

#[tokio::test]
async fn a_stranger_is_not_let_in() {
    let Some(sshd) = Sshd::start() else { return };
    let error =
        open(&sshd, &[sshd.fingerprint("host_ed25519")], "stranger").await.expect_err("not authorised");
    assert_eq!(error.reason, Reason::AuthenticationFailed);
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_told_apart() {
    let Some(sshd) = Sshd::start() else { return };
    let timeouts = Timeouts { handshake: Duration::from_millis(200), ..Timeouts::default() };
    let identity = sshd.identity("client");
    let nobody = free_address().port();
    let error =
        Connection::open("127.0.0.1", nobody, &[], "u", &identity, timeouts).await.expect_err("closed");
    assert_eq!(error.reason, Reason::AgentUnreachable);
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let port = silent.local_addr().expect("it is bound").port();
    let error = Connection::open("127.0.0.1", port, &[], "u", &identity, timeouts).await.expect_err("silent");
    assert_eq!(error.reason, Reason::Timeout);
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_unreachable() {
    let Some(sshd) = Sshd::start() else { return };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
        }
    });
    let timeouts = Timeouts { handshake: Duration::from_secs(2), ..Timeouts::default() };
    let identity = sshd.identity("client");
    let error = Connection::open("127.0.0.1", port, &[], "u", &identity, timeouts).await.expect_err("no SSH");
    assert!(error.is_connection_lost(), "{error:?}");
}

struct Collect(Vec<u8>);

impl Receive for Collect {
    async fn take(&mut self, chunk: Vec<u8>) -> Result<(), AgentError> {
        self.0.extend(chunk);
        Ok(())
    }
}

#[tokio::test]
async fn small_files_and_folders() {
    let Some(sshd) = Sshd::start() else { return };
    let tree = sshd.tree();
    let path = |name: &str| tree.join(name).to_str().expect("a UTF-8 path").to_owned();
    let connection = sshd.connect_through(sshd.address).await;
    let sftp = connection.sftp().await.expect("SFTP starts");

    sftp.make_folder(&path("a")).await.expect("a new folder");
    assert_eq!(sftp.make_folder(&path("a")).await.expect_err("it is there").reason, Reason::AlreadyExists);
    sftp.ensure_folder(&path("a")).await.expect("it may be there");
    sftp.create(&path("a/x"), b"one").await.expect("a new file");
    assert_eq!(
        sftp.create(&path("a/x"), b"two").await.expect_err("it is there").reason,
        Reason::AlreadyExists
    );
    sftp.write(&path("a/y"), &[7; 100_000]).await.expect("a file of several requests");
    assert_eq!(
        sftp.rename(&path("a/x"), &path("a/y")).await.expect_err("taken").reason,
        Reason::AlreadyExists
    );
    sftp.rename(&path("a/x"), &path("a/z")).await.expect("a free name");
    assert_eq!(sftp.read(&path("a/z"), 3).await.expect("a file").bytes, b"one");

    let text = sftp.read(&path("a/y"), 99_999).await.expect("a file");
    assert_eq!((text.bytes.len(), text.truncated), (99_999, true));
    let text = sftp.read(&path("a/y"), 100_000).await.expect("a file");
    assert_eq!((text.bytes.len(), text.truncated), (100_000, false));
    assert_eq!(sftp.read_from(&path("a/y"), 99_998, 10).await.expect("a file").bytes, [7, 7]);
    assert_eq!(sftp.read_from(&path("a/y"), 200_000, 10).await.expect("a file").bytes, b"");
    assert_eq!(sftp.read(&path("none"), 10).await.expect_err("not there").reason, Reason::NotFound);

    let mut names: Vec<_> =
        sftp.list(&path("a"), 10).await.expect("a listing").into_iter().map(|e| (e.name, e.size)).collect();
    names.sort();
    assert_eq!(names, [("y".to_owned(), Some(100_000)), ("z".to_owned(), Some(3))]);
    assert_eq!(sftp.list(&path("a"), 1).await.expect_err("too many").reason, Reason::ProtocolViolation);
    assert_eq!(sftp.stat(&path("none")).await.expect("no error"), None);

    let mut collect = Collect(Vec::new());
    assert_eq!(sftp.download(&path("a/y"), 100_000, &mut collect).await.expect("a download"), 100_000);
    assert_eq!(collect.0, [7; 100_000]);
    let mut collect = Collect(Vec::new());
    assert_eq!(sftp.download(&path("a/y"), 200_000, &mut collect).await.expect("shorter than said"), 100_000);

    sftp.remove(&path("a/y")).await.expect("removed");
    sftp.remove(&path("a/y")).await.expect("gone is fine");
    sftp.remove(&path("a/z")).await.expect("removed");
    sftp.remove_folder(&path("a")).await.expect("removed");
    sftp.remove_folder(&path("a")).await.expect("gone is fine");
}

/// Hands a connection on to `target` and cuts the first `cuts` of them after `bytes` from the client.
async fn cutting_proxy(target: std::net::SocketAddr, cuts: u32, bytes: u64) -> std::net::SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        let mut left = cuts;
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(target).await.expect("sshd listens");
            let cut = left > 0;
            left = left.saturating_sub(1);
            tokio::spawn(async move {
                if !cut {
                    drop(copy_bidirectional(&mut client, &mut server).await);
                    return;
                }
                let (from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let up = async { tokio::io::copy(&mut from_client.take(bytes), &mut to_server).await };
                let down = async { tokio::io::copy(&mut from_server, &mut to_client).await };
                // Whichever ends first takes the other with it.
                tokio::select! { done = up => drop(done), done = down => drop(done) }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_cut_upload_goes_on_where_it_broke() {
    let Some(sshd) = Sshd::start() else { return };
    let target = sshd.tree().join("upload");
    let path = target.to_str().expect("a UTF-8 path");
    let bytes: Vec<u8> = (0..6_000_000_u32).map(|at| (at % 251) as u8).collect();
    let proxy = cutting_proxy(sshd.address, 1, 3_000_000).await;

    let connection = sshd.connect_through(proxy).await;
    let uploader = connection.uploader().await.expect("SFTP starts");
    let mut sink = uploader.open(path, 0).await.expect("a new file");
    let written = async {
        sink.write(&bytes).await?;
        sink.finish().await
    }
    .await;
    let error = written.expect_err("the proxy cut it");
    assert!(error.is_connection_lost(), "{error:?}");

    let connection = sshd.connect_through(proxy).await;
    let uploader = connection.uploader().await.expect("SFTP starts");
    let present = uploader.present(path).await.expect("a size");
    assert!(present > 0 && present < bytes.len() as u64, "{present}");
    let offset = usize::try_from(present).expect("a small size");
    let mut sink = uploader.open(path, present).await.expect("the file");
    sink.write(&bytes[offset..]).await.expect("the rest");
    sink.finish().await.expect("the end");
    assert!(std::fs::read(&target).expect("the file") == bytes, "no byte is lost or twice there");
}

#[tokio::test]
async fn a_refused_write_is_not_a_lost_connection() {
    let Some(sshd) = Sshd::start() else { return };
    let connection = sshd.connect_through(sshd.address).await;
    let uploader = connection.uploader().await.expect("SFTP starts");
    // Every write to it fails for want of space.
    let mut sink = uploader.open("/dev/full", 0).await.expect("the device opens");
    let written = async {
        sink.write(&[0; 100_000]).await?;
        sink.finish().await
    }
    .await;
    assert_eq!(written.expect_err("no space").reason, Reason::Refused);
}
