//! The card as a cable between two network namespaces.

mod common;

use common::remote::CardProcess;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Two namespaces and the card's process between them; gone when dropped.
struct Net {
    // The process lets the interfaces go first.
    card: Option<CardProcess>,
    names: [String; 2],
}

impl Drop for Net {
    fn drop(&mut self) {
        self.card = None;
        for name in &self.names {
            // What was not made is not missed.
            let _ = ip(&["netns", "delete", name]);
        }
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("ip {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
    }
}

impl Net {
    /// Namespaces, and the card's TAP interfaces inside; an error if this machine does not let us.
    fn new() -> Result<Self, String> {
        let id = std::process::id();
        let names = ["l", "r"].map(|side| format!("writ{id}{side}"));
        let mut net = Self { card: None, names };
        let [left, right] = net.names.clone();
        for name in [&left, &right] {
            ip(&["netns", "add", name])?;
            // The interfaces are made here, where the card finds them by name, and moved afterwards.
            ip(&["tuntap", "add", "dev", name, "mode", "tap"])?;
        }
        net.card = Some(CardProcess::start(&["--tap", &left, &right]));
        for (name, address) in [(&left, "192.0.2.1/24"), (&right, "192.0.2.2/24")] {
            ip(&["link", "set", name, "netns", name])?;
            ip(&["-n", name, "address", "add", address, "dev", name])?;
            ip(&["-n", name, "link", "set", name, "up"])?;
        }
        Ok(net)
    }

    fn python(&self, side: usize, script: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.names[side], "python3", "-c", script]);
        command
    }
}

const SERVER: &str = r#"
import socket
s = socket.create_server(("192.0.2.2", 7000))
print("listening", flush=True)
c, _ = s.accept()
while data := c.recv(65536):
    c.sendall(data)
"#;

/// Sends a megabyte, in pieces of all lengths, and wants it back.
const CLIENT: &str = r#"
import random, socket, threading
c = socket.create_connection(("192.0.2.2", 7000), timeout=60)
want = random.Random(7).randbytes(1 << 20)
def send():
    at = 0
    while at < len(want):
        n = 1 + at * 7919 % 3000
        c.sendall(want[at:at + n]); at += n
    c.shutdown(socket.SHUT_WR)
t = threading.Thread(target=send); t.start()
got = b""
while data := c.recv(65536):
    got += data
t.join()
assert got == want, (len(got), len(want))
"#;

#[test]
fn a_connection_between_two_hosts_passes_the_card_untouched() {
    let net = match Net::new() {
        Ok(net) => net,
        Err(why) => return eprintln!("SKIPPED, no TAP interfaces and network namespaces to be had here: {why}"),
    };
    let mut server = net.python(1, SERVER).stdout(Stdio::piped()).spawn().expect("python3");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("it is piped")).read_line(&mut line).expect("a line");
    assert_eq!(line.trim(), "listening");
    let client = net.python(0, CLIENT).output().expect("python3");
    // A server whose client failed waits for ever.
    let _ = server.kill();
    let _ = server.wait();
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
}
