//! The real programs put together: `writd` on a simulated card, `writ` to operate it, mock receivers around it.
//!
//! A [`Rig`] owns a folder with PKI, configuration, state and logs, the receivers, and the `writd` process, which it can stop, kill and start
//! again on the same state. It speaks to the daemon through the `writ` program alone, as an operator would.

mod daemon;
mod operator;

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fmt, process};

use rustls::ServerConfig;
use writ_control::report::AuditVerdict;

use crate::binaries::Binaries;
use crate::lemf::{Interface, Receiver};
use crate::pki::Authority;

pub use daemon::Daemon;
pub use operator::{Activation, OperatorError, kind_for, order};

/// What stands behind the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The golden model.
    Model,
    /// The Verilated gateware.
    Rtl,
    /// The Verilated gateware behind PCIe transactions, in a process of its own that speaks vfio-user, in the hands of `writ-cardd`.
    Tlp,
    /// A card that the caller serves over vfio-user at [`Rig::card_socket`] before the daemon is started, in the hands of `writ-cardd`.
    Served,
}

impl Backend {
    /// What the card is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Rtl => "rtl",
            Self::Tlp => "tlp",
            Self::Served => "served",
        }
    }
}

/// What counts as delivered at a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The answer to a later keep-alive.
    Barrier,
    /// That it was written.
    Written,
}

/// A receiver to set up.
#[derive(Debug, Clone)]
pub struct ReceiverPlan {
    /// Name of the destination.
    pub name: String,
    /// Whether it is a LEMF (HI2, HI3) or a mediation function (X2, X3).
    pub is_lemf: bool,
}

/// How to set a rig up.
#[derive(Debug, Clone)]
pub struct RigPlan {
    /// Its folder; made if it is not there, and expected to hold nothing of an earlier rig.
    pub folder: PathBuf,
    /// The programs.
    pub binaries: Binaries,
    /// What stands behind the driver.
    pub backend: Backend,
    /// Card time at the start, TAI ns.
    pub epoch_ns: u64,
    /// Receivers.
    pub receivers: Vec<ReceiverPlan>,
    /// After how much silence the daemon sends a keep-alive, ms.
    pub keepalive_idle_ms: u64,
    /// How long the daemon waits for the answer, ms.
    pub keepalive_answer_ms: u64,
    /// Blocks of the daemon's arena.
    pub arena_blocks: u32,
    /// Whether the receivers' certificates come from an authority that the daemon is not told of.
    pub receivers_of_foreign_authority: bool,
}

impl RigPlan {
    /// A plan with the values that most scenarios want.
    pub fn new(folder: &Path, binaries: Binaries, backend: Backend, epoch_ns: u64) -> Self {
        Self {
            folder: folder.to_path_buf(),
            binaries,
            backend,
            epoch_ns,
            receivers: Vec::new(),
            keepalive_idle_ms: 2_000,
            keepalive_answer_ms: 20_000,
            arena_blocks: 64,
            receivers_of_foreign_authority: false,
        }
    }

    /// Adds a LEMF.
    #[must_use]
    pub fn lemf(mut self, name: &str) -> Self {
        self.receivers.push(ReceiverPlan { name: name.to_owned(), is_lemf: true });
        self
    }

    /// Adds a mediation function.
    #[must_use]
    pub fn mediation_function(mut self, name: &str) -> Self {
        self.receivers.push(ReceiverPlan { name: name.to_owned(), is_lemf: false });
        self
    }
}

/// Why a rig could not do something.
#[derive(Debug)]
#[non_exhaustive]
pub enum RigError {
    /// A file or a process could not be handled.
    Io {
        /// What was being done.
        what: String,
        /// What went wrong.
        error: io::Error,
    },
    /// Keys or certificates could not be made.
    Pki(String),
    /// A program ended or did not come up.
    Daemon {
        /// What happened.
        what: String,
        /// The last lines of its log.
        log: String,
    },
    /// `writ` failed.
    Operator(OperatorError),
    /// `writ` failed to activate a warrant of a run.
    Warrant {
        /// Which, from 0.
        index: usize,
        /// What it said.
        error: OperatorError,
    },
    /// The simulated wires failed.
    Wire(String),
    /// Something did not happen in time.
    Timeout {
        /// What was waited for.
        what: String,
        /// How it stood at the end.
        standing: String,
    },
}

impl RigError {
    pub(crate) fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Io { what: what.to_string(), error }
    }

    /// Says of which warrant of a run an operator's error is.
    pub(crate) fn of_warrant(self, index: usize) -> Self {
        match self {
            Self::Operator(error) => Self::Warrant { index, error },
            other => other,
        }
    }
}

impl fmt::Display for RigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, error } => write!(f, "{what}: {error}"),
            Self::Pki(text) => write!(f, "throw-away PKI: {text}"),
            Self::Daemon { what, log } => write!(f, "{what}\n{log}"),
            Self::Operator(error) => write!(f, "{error}"),
            Self::Warrant { index, error } => write!(f, "warrant {}: {error}", index + 1),
            Self::Wire(text) => write!(f, "simulated wires: {text}"),
            Self::Timeout { what, standing } => write!(f, "{what} did not happen in time; {standing}"),
        }
    }
}

impl std::error::Error for RigError {}

impl From<OperatorError> for RigError {
    fn from(error: OperatorError) -> Self {
        Self::Operator(error)
    }
}

/// The programs, running together.
pub struct Rig {
    plan: RigPlan,
    /// Short path for the sockets, which may not have long ones.
    sockets: PathBuf,
    /// Vouches for the receivers; usually for the daemon too.
    receiver_authority: Authority,
    receivers: Vec<Receiver>,
    /// The card's process and `writ-cardd`, if the daemon does not hold the card itself.
    card: Vec<Daemon>,
    daemon: Option<Daemon>,
}

/// How long a start of the daemon may take: the Verilated card sweeps its tables first.
const START_TIME_MAX: Duration = Duration::from_secs(90);
/// Length of the IPv6 prefixes in the prefix table of the rig's card.
pub const PREFIX_BITS: u8 = 56;

impl Rig {
    /// Makes folder, PKI, configuration and receivers. The daemon does not run yet.
    ///
    /// # Errors
    /// [`RigError`].
    pub fn set_up(plan: RigPlan) -> Result<Self, RigError> {
        let pki = plan.folder.join("pki");
        let private = |path: &Path| {
            DirBuilder::new().mode(0o700).recursive(true).create(path).map_err(RigError::io(path.display()))
        };
        private(&pki)?;
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let sockets = std::env::temp_dir().join(format!("writ-{}-{count}", process::id()));
        private(&sockets)?;
        let pki_error = |error: rcgen::Error| RigError::Pki(error.to_string());
        let authority = Authority::new("Writ throw-away authority").map_err(pki_error)?;
        authority.write(&pki.join("ca.pem")).map_err(RigError::io("pki/ca.pem"))?;
        let client = authority.client("writd").map_err(pki_error)?;
        let foreign = Authority::new("Foreign authority").map_err(pki_error)?;
        client.write(&pki, "writd").map_err(RigError::io("pki/writd.pem"))?;
        let mut receivers = Vec::new();
        for receiver in &plan.receivers {
            let issuer = if plan.receivers_of_foreign_authority { &foreign } else { &authority };
            let server = issuer.server(&server_name(&receiver.name)).map_err(pki_error)?;
            let tls = authority.server_config(&server).map_err(|error| RigError::Pki(error.to_string()))?;
            let interfaces =
                if receiver.is_lemf { [Interface::Hi2, Interface::Hi3] } else { [Interface::X2, Interface::X3] };
            let folder = plan.folder.join("received").join(&receiver.name);
            let started = Receiver::start(&receiver.name, &interfaces, tls, client.certificate().clone(), &folder);
            receivers.push(started.map_err(RigError::io(format_args!("receiver {}", receiver.name)))?);
        }
        let receiver_authority = if plan.receivers_of_foreign_authority { foreign } else { authority };
        let rig = Self { plan, sockets, receiver_authority, receivers, card: Vec::new(), daemon: None };
        rig.write_configuration()?;
        Ok(rig)
    }

    /// Starts the daemon and waits until it is ready.
    ///
    /// # Errors
    /// [`RigError::Daemon`] with the end of its log if it does not come up.
    pub fn start(&mut self) -> Result<(), RigError> {
        if matches!(self.plan.backend, Backend::Tlp | Backend::Served) && self.card.is_empty() {
            self.start_card()?;
        }
        let configuration = self.configuration();
        let arguments = ["--config".as_ref(), configuration.as_os_str()];
        let program = ("writd", self.plan.binaries.writd.as_path());
        self.daemon = Some(Daemon::start(program, &arguments, &self.log(), START_TIME_MAX)?);
        Ok(())
    }

    /// Starts the card in a process of its own, unless the caller serves one, and `writ-cardd` with it.
    fn start_card(&mut self) -> Result<(), RigError> {
        let (card, cardd, wire) = (self.card_socket(), self.cardd_socket(), self.wire_socket());
        let log = |name: &str| self.plan.folder.join(name);
        let binaries = &self.plan.binaries;
        let serve = ["serve".as_ref(), "--card".as_ref(), "tlp".as_ref(), "--socket".as_ref(), card.as_os_str()];
        let serve = [&serve[..], &["--wire".as_ref(), wire.as_os_str()]].concat();
        let own = ["--socket".as_ref(), cardd.as_os_str(), "--vfio-user".as_ref(), card.as_os_str()];
        let sim = match self.plan.backend {
            Backend::Served => None,
            _ => Some(Daemon::start(("writ-sim", &binaries.writ_sim), &serve, &log("writ-sim.log"), START_TIME_MAX)?),
        };
        let owner = Daemon::start(("writ-cardd", &binaries.writ_cardd), &own, &log("writ-cardd.log"), START_TIME_MAX)?;
        // In the order in which they have to end.
        self.card = [Some(owner), sim].into_iter().flatten().collect();
        Ok(())
    }

    /// Starts the daemon again on its old state, with the card's clock at `epoch_ns` of TAI.
    ///
    /// # Errors
    /// As [`Rig::start`].
    pub fn restart_at(&mut self, epoch_ns: u64) -> Result<(), RigError> {
        self.plan.epoch_ns = epoch_ns;
        self.write_configuration()?;
        self.start()
    }

    /// Starts the daemon and makes every receiver known to it.
    ///
    /// # Errors
    /// [`RigError`].
    pub fn start_with_destinations(&mut self, confirmation: Confirmation) -> Result<(), RigError> {
        self.start()?;
        for receiver in &self.receivers {
            self.add_destination(receiver, confirmation)?;
        }
        Ok(())
    }

    /// Kills the daemon as a crash would: SIGKILL.
    ///
    /// # Errors
    /// If there is none, or it cannot be killed.
    pub fn kill(&mut self) -> Result<(), RigError> {
        let mut daemon = self.take_daemon()?;
        daemon.kill()
    }

    /// Asks the daemon to stop and waits until it has.
    ///
    /// # Errors
    /// If there is none, if it does not stop in time, or if it ends with a fault.
    pub fn stop(&mut self) -> Result<(), RigError> {
        let mut daemon = self.take_daemon()?;
        daemon.stop(Duration::from_secs(30))
    }

    /// Verifies the audit log as others would who have its file and the public key only. `expect_head`: a hash that the daemon gave
    /// while it ran.
    ///
    /// # Errors
    /// If it cannot be judged at all.
    pub fn verify_audit_offline(&self, expect_head: &str) -> Result<AuditVerdict, RigError> {
        let state = self.plan.folder.join("state");
        let (log, key) = (state.join("audit.log"), state.join("audit.pub"));
        daemon::verify_audit(&self.plan.binaries.writd, &log, &key, expect_head)
    }

    fn take_daemon(&mut self) -> Result<Daemon, RigError> {
        let gone = || RigError::Daemon { what: "writd does not run".to_owned(), log: String::new() };
        self.daemon.take().ok_or_else(gone)
    }

    /// Says what happened if the daemon has ended by itself.
    ///
    /// # Errors
    /// [`RigError::Daemon`] if it has.
    pub fn check_daemon(&mut self) -> Result<(), RigError> {
        self.daemon.as_mut().map_or(Ok(()), Daemon::check)
    }

    /// The daemon's process.
    pub fn process_id(&self) -> Option<u32> {
        self.daemon.as_ref().map(Daemon::process_id)
    }

    /// TLS of a receiver that the rig does not run itself: the certificate has the name of the destination ([`server_name`]), and who connects has to have one of
    /// the same authority.
    ///
    /// # Errors
    /// [`RigError::Pki`].
    pub fn server_config(&self, destination: &str) -> Result<Arc<ServerConfig>, RigError> {
        let identity = self
            .receiver_authority
            .server(&server_name(destination))
            .map_err(|error| RigError::Pki(error.to_string()))?;
        self.receiver_authority.server_config(&identity).map_err(|error| RigError::Pki(error.to_string()))
    }

    /// The receiver with this name.
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|receiver| receiver.name() == name)
    }

    /// All receivers.
    pub fn receivers(&self) -> &[Receiver] {
        &self.receivers
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.plan.folder
    }

    /// The daemon's control socket.
    pub fn control_socket(&self) -> PathBuf {
        self.sockets.join("control.sock")
    }

    /// The simulator's socket for wires.
    pub fn wire_socket(&self) -> PathBuf {
        self.sockets.join("wire.sock")
    }

    /// The socket of a card that is not the daemon's own.
    pub fn card_socket(&self) -> PathBuf {
        self.sockets.join("card.sock")
    }

    fn cardd_socket(&self) -> PathBuf {
        self.sockets.join("cardd.sock")
    }

    /// The daemon's log.
    pub fn log(&self) -> PathBuf {
        self.plan.folder.join("writd.log")
    }

    /// The daemon's audit log.
    pub fn audit_log(&self) -> PathBuf {
        self.plan.folder.join("state/audit.log")
    }

    /// Gives the daemon the authority that vouches for the receivers; it reads it at its next start.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn trust_receivers(&self) -> Result<(), RigError> {
        self.receiver_authority.write(&self.plan.folder.join("pki/ca.pem")).map_err(RigError::io("pki/ca.pem"))
    }

    fn configuration(&self) -> PathBuf {
        self.plan.folder.join("writd.toml")
    }

    fn write_configuration(&self) -> Result<(), RigError> {
        let plan = &self.plan;
        let uid = fs::metadata(&plan.folder).map_err(RigError::io(plan.folder.display()))?.uid();
        let card = match plan.backend {
            Backend::Tlp | Backend::Served => format!("backend = \"cardd\"\ncardd = {:?}", self.cardd_socket()),
            Backend::Model | Backend::Rtl => {
                format!("backend = {:?}\nwire_socket = {:?}", plan.backend.name(), self.wire_socket())
            }
        };
        let text = format!(
            r#"# Written by the test bench.
state_dir = "state"
runtime_dir = "run"
[network]
country = "US"
operator = "CARRIER"
element = "NE-1"
interception_point = "POI-1"

[[roles]]
uid = {uid}
person = "Demo Operator"
may = ["operate", "approve", "audit", "view"]

[card]
{card}
epoch_ns = {epoch_ns}
prefix_bits = {prefix_bits}

[control]
socket = {control:?}

[arena]
blocks = {blocks}

[tls]
certificate = "pki/writd.pem"
key = "pki/writd.key"
ca = "pki/ca.pem"

[keys]
danger_key_file = "master.key"

[limits]
keepalive_idle_ms = {idle}
keepalive_answer_ms = {answer}
"#,
            control = self.control_socket(),
            epoch_ns = plan.epoch_ns,
            prefix_bits = PREFIX_BITS,
            blocks = plan.arena_blocks,
            idle = plan.keepalive_idle_ms,
            answer = plan.keepalive_answer_ms,
        );
        let path = self.configuration();
        fs::write(&path, text).map_err(RigError::io(path.display()))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // The daemon's own `Drop` kills it; only then may its sockets go.
        self.daemon = None;
        self.card.clear();
        let _ = fs::remove_dir_all(&self.sockets);
    }
}

/// DNS name in the certificate of a receiver.
pub fn server_name(destination: &str) -> String {
    format!("{}.test", destination.to_ascii_lowercase())
}
