//! A carrier's site in a temporary folder: keys, configuration, daemon, operator's tool.

use crate::{frames, peer::Peer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use writ_abi::PortSide;
use writ_sim::wire::{Client, PlayFrame};

/// Card time at the start: 2023-11-14T22:13:57Z.
pub(crate) const EPOCH_NS: u64 = 1_700_000_074_000_000_000;
/// Longest wait for anything here.
const PATIENCE: Duration = Duration::from_secs(30);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A site; its folder goes with it.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    uid: u32,
}

impl Drop for Site {
    fn drop(&mut self) {
        // A failed test leaves its folder, to be looked at.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl Site {
    /// A site whose owner has all roles.
    pub(crate) fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("writd-site-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let uid = std::fs::metadata(&folder).expect("own folder").uid();
        let site = Self { folder, uid };
        site.make_pki("pki");
        site.make_pki("foreign");
        site.write_config(|config| config);
        site
    }

    /// Writes the configuration, changed by `edit`.
    pub(crate) fn write_config(&self, edit: impl FnOnce(String) -> String) {
        let text = format!(
            r#"
state_dir = "state"
runtime_dir = "run"

[network]
country = "US"
operator = "CARRIER"
element = "NE-1"
interception_point = "POI-1"

[[roles]]
uid = {}
person = "Pat Example"
may = ["operate", "audit", "view"]

[card]
backend = "model"
wire_socket = "run/wire.sock"
epoch_ns = {EPOCH_NS}

[arena]
blocks = 32

[tls]
certificate = "pki/writd.pem"
key = "pki/writd.key"
ca = "pki/ca.pem"

[keys]
danger_key_file = "master.key"

[limits]
barrier_ms = 20
shutdown_flush_ms = 500
"#,
            self.uid
        );
        std::fs::write(self.folder.join("writd.toml"), edit(text)).expect("own folder");
    }

    /// The uid that runs the tests.
    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    /// An authority, a certificate for `writd`, and one for receivers (`lemf.test`).
    fn make_pki(&self, name: &str) {
        let folder = self.folder.join(name);
        std::fs::create_dir_all(&folder).expect("own folder");
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("randomness")).expect("signs");
        std::fs::write(folder.join("ca.pem"), authority.pem()).expect("own folder");
        for (file, subject) in [("writd", "writd.test"), ("peer", "lemf.test")] {
            let key = KeyPair::generate().expect("randomness");
            let params = CertificateParams::new(vec![subject.to_owned()]).expect("a name");
            let certificate = params.signed_by(&key, &authority).expect("signs");
            std::fs::write(folder.join(format!("{file}.pem")), certificate.pem()).expect("own folder");
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut out = options.open(folder.join(format!("{file}.key"))).expect("own folder");
            std::io::Write::write_all(&mut out, key.serialize_pem().as_bytes()).expect("own file");
        }
    }

    /// Folder of the keys that belong together.
    pub(crate) fn pki(&self) -> PathBuf {
        self.folder.join("pki")
    }

    /// Runs `writd` until it ends.
    pub(crate) fn writd(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_writd"));
        command.current_dir(&self.folder).args(arguments).output().expect("writd runs")
    }

    /// Starts `writd` and waits until it is ready.
    pub(crate) fn start(&self) -> Daemon {
        let mut command = Command::new(env!("CARGO_BIN_EXE_writd"));
        let log = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.folder.join("writd.log"))
            .expect("own folder");
        command.arg("--config").arg(self.folder.join("writd.toml"));
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("writd starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("writd speaks");
        assert_eq!(line, "writd: ready\n", "{}", self.log());
        Daemon { child }
    }

    /// What `writd` logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("writd.log")).unwrap_or_default()
    }

    /// Runs the operator's tool.
    pub(crate) fn writ(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(writ_binary());
        command.arg("--socket").arg(self.folder.join("run/control.sock")).args(arguments).output().expect("writ runs")
    }

    /// Runs the operator's tool, which has to succeed; its answer.
    pub(crate) fn done(&self, arguments: &[&str]) -> Value {
        let output = self.writ(&[arguments, &["--json"]].concat());
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {talk}\n{}", self.log());
        let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        json["answer"].clone()
    }

    /// Runs the operator's tool, which has to be refused with this exit status; the refusal.
    pub(crate) fn refused(&self, status: i32, arguments: &[&str]) -> Value {
        let output = self.writ(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        json["refused"].clone()
    }

    /// Makes a destination of two receivers known.
    pub(crate) fn add_destination(&self, name: &str, family: &str, peers: [&Peer; 2]) {
        let [first, second] = peers.map(|peer| peer.address.to_string());
        let (iri, content) = if family == "hi" { ("--hi2", "--hi3") } else { ("--x2", "--x3") };
        let arguments = ["destination", "add", name, "--interface", family, iri, &first, content, &second];
        self.done(&[&arguments[..], &["--server-name", "lemf.test"]].concat());
    }

    /// Polls the status until it is as wanted.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let status = self.done(&["status"]);
            if wanted(&status) {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "{what}: {status:#}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until nothing waits anywhere.
    pub(crate) fn wait_idle(&self) -> Value {
        self.wait("not idle", |status| status["idle"] == true)
    }

    /// Plays packets on port A, a microsecond apart, and returns their stamps.
    pub(crate) fn play(&self, packets: &[Vec<u8>]) -> Vec<u64> {
        self.play_every(packets, 1000)
    }

    /// Plays packets on port A, so far apart, and returns their stamps.
    pub(crate) fn play_every(&self, packets: &[Vec<u8>], gap_ns: u64) -> Vec<u64> {
        let frames: Vec<Vec<u8>> = packets.iter().map(|packet| frames::frame(packet)).collect();
        self.play_frames(&frames, gap_ns)
    }

    /// Plays frames on port A, so far apart, and returns their stamps.
    pub(crate) fn play_frames(&self, frames: &[Vec<u8>], gap_ns: u64) -> Vec<u64> {
        let mut wire = Client::connect(&self.folder.join("run/wire.sock")).expect("the wire is served");
        let begin = wire.card_time_ns().expect("it answers") + 200_000;
        let frame = |(number, bytes): (usize, &Vec<u8>)| {
            PlayFrame::new(PortSide::A, begin + gap_ns * number as u64, bytes.clone())
        };
        let mut stamps = vec![0; frames.len()];
        wire.play(frames.iter().enumerate().map(frame), |seen| {
            if let writ_sim::wire::Seen::Arrived { number, stamp_ns, .. } = seen {
                stamps[number as usize] = stamp_ns;
            }
        })
        .expect("all frames pass");
        stamps
    }

    /// Lets the idle card's clock run.
    pub(crate) fn advance_to(&self, until_ns: u64) {
        let mut wire = Client::connect(&self.folder.join("run/wire.sock")).expect("the wire is served");
        wire.advance_to(until_ns).expect("it answers");
    }
}

/// A running `writd`; killed when dropped.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("own child");
        self.child.wait().expect("own child");
    }

    /// SIGTERM; its exit status.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("own child");
        self.child.wait().expect("own child").code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The operator's tool, built from these sources. It belongs to another package, so cargo does not build it for us.
fn writ_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "writ-cli", "--manifest-path"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/Cargo.toml"))
            .status()
            .expect("cargo runs");
        assert!(status.success(), "writ-cli does not build");
        Path::new(env!("CARGO_BIN_EXE_writd")).with_file_name("writ")
    })
}

/// An activation with everything that it needs; `more` comes on top.
pub(crate) fn activation<'a>(liid: &'a str, destination: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["task", "activate", "--authority", "ORDER-7", "--officer", "A. Officer"];
    arguments.extend(["--signer", "A. Judge", "--circuit", "C-17", "--username", "subscriber-17"]);
    arguments.extend(["--access-type", "fttx", "--liid", liid, "--destination", destination]);
    arguments.extend(more);
    if !more.contains(&"--end") {
        arguments.extend(["--end", "+1d"]);
    }
    arguments
}
