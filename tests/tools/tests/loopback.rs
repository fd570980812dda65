// SPDX-License-Identifier: GPL-2.0

//! `stream` as a whole, over the loopback interface: what must be seen is seen.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;

const TOOL: &str = env!("CARGO_BIN_EXE_tcpc-tool");

/// A `serve` with its control socket; killed when dropped.
struct Server {
    child: Child,
    address: String,
    control: PathBuf,
}

impl Server {
    fn start(name: &str) -> Self {
        let control = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-server"));
        let mut child = Command::new(TOOL)
            .args(["stream", "serve", "--listen", "127.0.0.1:0", "--control"])
            .arg(&control)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening ").unwrap().to_owned();
        thread::spawn(move || out.read_to_end(&mut Vec::new()));
        Self {
            child,
            address,
            control,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs the tool: exit code and last line.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(TOOL).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or_default().to_owned();
    (output.status.code().unwrap(), last)
}

fn ctl(socket: &std::path::Path, command: &str) -> (i32, String) {
    run(&["stream", "ctl", socket.to_str().unwrap(), command])
}

/// Copies octets, one of them wrong if `damage` is its number.
fn pump(mut from: TcpStream, mut to: TcpStream, damage: Option<usize>) {
    let mut buffer = [0; 4096];
    let mut position = 0;
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            break;
        }
        if let Some(at) = damage.and_then(|at| at.checked_sub(position)) {
            if at < count {
                buffer[at] ^= 0x20;
            }
        }
        position += count;
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other side may have gone already.
    to.shutdown(Shutdown::Write).unwrap_or_default();
}

/// One connection through a middlebox that changes octet `damage` towards the server.
fn middlebox(server: &str, damage: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        thread::spawn(move || pump(back.0, back.1, None));
        pump(client, server, Some(damage));
    });
    address
}

#[test]
fn many_connections_exchange_and_close() {
    let server = Server::start("many");
    let (code, last) = run(&[
        "stream",
        "connect",
        &server.address,
        "--connections",
        "50",
        "--each-way",
        "100K",
    ]);
    assert_eq!(code, 0);
    assert!(last.starts_with("ok open=0 closed=50 failed=0"), "{last}");
    assert!(last.ends_with("sent=5120000 received=5120000"), "{last}");
    let (code, last) = ctl(&server.control, "status");
    assert_eq!(code, 0, "{last}");
    assert!(last.contains("open=0 closed=50 failed=0"), "{last}");
}

#[test]
fn one_wrong_octet_is_named() {
    let server = Server::start("wrong");
    let through = middlebox(&server.address, 50_000);
    let (code, _) = run(&["stream", "connect", &through, "--each-way", "100K"]);
    assert_eq!(code, 1);
    let (code, last) = ctl(&server.control, "status");
    // Two headers (Hello, Data) are before it.
    assert!(
        last.starts_with("error WRONGOCTET") && last.contains("position=49952"),
        "{last}"
    );
    assert_eq!(code, 1);
    assert_eq!(ctl(&server.control, "forget").0, 0);
    assert_eq!(ctl(&server.control, "status").0, 0);
}

#[test]
fn half_closed_connection_goes_on_one_way() {
    let server = Server::start("half");
    let control = server.control.with_file_name("half-client");
    let mut client = Command::new(TOOL)
        .args(["stream", "connect", &server.address, "--control"])
        .arg(&control)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for (socket, command) in [
        (&control, "exchange 1K"),
        (&control, "shutdown"),
        (&server.control, "send 70000"),
        (&control, "expect 70000"),
        (&server.control, "close"),
        (&control, "wait"),
        (&control, "quit"),
    ] {
        let (code, last) = ctl(socket, command);
        assert_eq!(code, 0, "{command}: {last}");
    }
    assert!(client.wait().unwrap().success());
}

#[test]
fn errors_have_their_errno() {
    let (code, last) = run(&["stream", "connect", "127.0.0.1:1", "--each-way", "1K"]);
    assert!(
        code == 1 && last.starts_with("error ECONNREFUSED "),
        "{last}"
    );
    let server = Server::start("reset");
    let arguments = ["--do", "exchange 1K", "--do", "reset"];
    let connect = ["stream", "connect", &server.address];
    assert_eq!(run(&[&connect[..], &arguments[..]].concat()).0, 0);
    let (code, last) = ctl(&server.control, "wait");
    assert!(code == 1 && last.starts_with("error ECONNRESET "), "{last}");
}
