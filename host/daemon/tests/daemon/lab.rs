//! The other processes around `writd`: the card, and `writ-cardd` who owns it.

use crate::program::sim_binary;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a card may take to notice that its owner is dead.
const RESTART_PATIENCE: Duration = Duration::from_secs(10);

/// A process that says when it is ready; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    fn start(command: Command, ready: &str) -> Self {
        let (process, said) = Self::spawn(command);
        assert_eq!(said.trim(), ready);
        process
    }

    /// The process with the first line that it says; none if it ends without one.
    fn spawn(mut command: Command) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("it speaks");
        (Self { child }, said)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("own child");
        self.child.wait().expect("own child");
    }

    /// Its exit status, when it has ended by itself.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("own child").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is just as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The simulated card in a process of its own: its socket is `card.sock` in the folder, its wires are served at `wire.sock`.
pub(crate) fn card(folder: &Path) -> Process {
    let mut command = Command::new(sim_binary(env!("CARGO_BIN_EXE_writd")));
    command.arg("serve").arg("--socket").arg(folder.join("card.sock")).arg("--wire").arg(folder.join("wire.sock"));
    Process::start(command, "writ-sim: ready")
}

fn cardd_command(folder: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ-cardd"));
    command
        .arg("--socket")
        .arg(folder.join("cardd.sock"))
        .arg("--vfio-user")
        .arg(folder.join("card.sock"))
        .args(options);
    command
}

/// `writ-cardd` over that card, at `cardd.sock`. Started again, as a service manager does, while the card has not noticed yet that the owner before is
/// dead.
pub(crate) fn cardd(folder: &Path, options: &[&str]) -> Process {
    let start = Instant::now();
    loop {
        let (process, said) = Process::spawn(cardd_command(folder, options));
        if !said.is_empty() || start.elapsed() > RESTART_PATIENCE {
            assert_eq!(said.trim(), "writ-cardd: ready");
            return process;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `writ-cardd` over that card, with a socket that listened before it was started, as a service manager has it.
pub(crate) fn cardd_on_stdin(folder: &Path, listener: UnixListener) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ-cardd"));
    command.arg("--socket-on-stdin").arg("--vfio-user").arg(folder.join("card.sock")).stdin(OwnedFd::from(listener));
    Process::start(command, "writ-cardd: ready")
}

/// `writ-cardd` with just these arguments, which is to end by itself: status and what it said.
pub(crate) fn cardd_alone(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writ-cardd"));
    let Output { status, stderr, .. } = command.args(arguments).stdin(Stdio::null()).output().expect("it runs");
    (status.code(), String::from_utf8(stderr).expect("text"))
}

/// `writ-cardd`, which is to end by itself.
pub(crate) fn cardd_refuses(folder: &Path, options: &[&str]) -> String {
    let Output { status, stderr, .. } = cardd_command(folder, options).output().expect("it runs");
    let said = String::from_utf8(stderr).expect("text");
    assert!(!status.success(), "{said}");
    said
}
