//! The command line: the one definition from which parsing, help, completions and the man page come.

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};
use writ_control::{
    Confirmation, Delivery, DestinationSettings, MinTls, OrderKind, Scope, Sensitive, Target, TimeSpec, Uuid,
    settings::{self, Hash, Integrity, XVersion},
};
use writ_driver::bus::{
    place::Place,
    sysfs::{PciAddress, Sysfs},
};

/// Where the daemon listens if nothing else is said.
const SOCKET_DEFAULT: &str = "/run/writ/control.sock";
/// Where the kernel shows its devices.
const SYS: &str = "/sys";
/// Environment variable that names the control socket.
const SOCKET_VARIABLE: &str = "WRIT_SOCKET";

const AFTER_HELP: &str = "\
Exit status:
  0  done
  1  refused, by the daemon or because a card is not fit for it; nothing was changed
  2  wrong command line
  3  the daemon, or the card of a self-test, cannot be reached or does not speak this protocol
  4  the audit log does not verify
  5  refused by the daemon: this user does not have the role
  6  the card fails its self-test
  7  a change stopped half-way; what was done is said

Environment:
  WRIT_SOCKET  control socket of the daemon, if --socket is not given";

/// Operate a Writ tap: tasks, destinations, the card, the audit log.
#[derive(Debug, Parser)]
#[command(name = "writ", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Control socket of the daemon [default: /run/writ/control.sock]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Print one JSON object instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) noun: Noun,
}

impl Arguments {
    /// The socket from the option, else from the environment, else the default.
    pub(crate) fn socket_path(&self) -> PathBuf {
        let from_environment = || std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from);
        self.socket.clone().or_else(from_environment).unwrap_or_else(|| SOCKET_DEFAULT.into())
    }

    /// How many records of the end of the audit log are wanted, if not all.
    pub(crate) const fn audit_last(&self) -> Option<u64> {
        match &self.noun {
            Noun::Audit { verb: AuditVerb::Show { last, .. } } => *last,
            _ => None,
        }
    }
}

/// What the command is about.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Tasks: what is intercepted, under which order, for whom
    Task {
        #[command(subcommand)]
        verb: TaskVerb,
    },
    /// Destinations: where intercepted data is delivered
    Destination {
        #[command(subcommand)]
        verb: DestinationVerb,
    },
    /// The card
    Card {
        #[command(flatten)]
        roots: Roots,
        #[command(subcommand)]
        verb: CardVerb,
    },
    /// The audit log
    Audit {
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Counts of every task, states of every connection
    Status,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Verbs of `task`.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskVerb {
    /// Put a task into force
    Activate(Box<Activate>),
    /// End a task now; what it selected before is still delivered
    Deactivate {
        #[command(flatten)]
        task: Selector,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// End a task now and stop sending; what was not sent is kept sealed
    Revoke {
        #[command(flatten)]
        task: Selector,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// List all tasks, ended ones too
    List {
        /// Show identities of targets (audited)
        #[arg(long)]
        reveal: bool,
    },
    /// Show one task
    Show {
        #[command(flatten)]
        task: Selector,
        /// Show identities of targets (audited)
        #[arg(long)]
        reveal: bool,
    },
}

/// Names a task: by its XID, or by LIID and destination.
#[derive(Debug, Args)]
#[group(id = "selector", required = true, multiple = true)]
pub(crate) struct Selector {
    /// XID of the task; or give --liid with --destination
    #[arg(conflicts_with_all = ["liid", "destination"])]
    pub(crate) xid: Option<Uuid>,
    /// LIID of the task at its destination
    #[arg(long, requires = "destination", value_parser = sensitive)]
    pub(crate) liid: Option<Sensitive>,
    /// Name of the destination
    #[arg(long, requires = "liid", value_name = "NAME")]
    pub(crate) destination: Option<String>,
}

/// Everything that a task needs. Who is responsible is not asked: the daemon knows the caller.
#[derive(Debug, Args)]
pub(crate) struct Activate {
    /// Kind of the order
    #[arg(long, value_parser = order_kind())]
    pub(crate) kind: OrderKind,
    /// Reference of the legal authorisation
    #[arg(long, value_name = "REF")]
    pub(crate) authority: String,
    /// Law-enforcement officer who presented it
    #[arg(long, value_name = "NAME")]
    pub(crate) officer: String,
    /// Person who signed it
    #[arg(long, value_name = "NAME")]
    pub(crate) signer: String,
    /// Circuit or telephone number involved
    #[arg(long, value_name = "ID", value_parser = sensitive)]
    pub(crate) circuit: Sensitive,
    /// The subscriber's name at the access
    #[arg(long, value_name = "NAME", value_parser = sensitive)]
    pub(crate) username: Sensitive,
    /// Access type of the subscriber: undefined, dial-up, xdsl, cable-modem, lan, wireless-lan, fttx, wimax, satellite or
    /// wireless-other
    #[arg(long, value_name = "TYPE")]
    pub(crate) access_type: String,
    /// The agency's identifier of the interception
    #[arg(long, value_parser = sensitive)]
    pub(crate) liid: Sensitive,
    /// Identity of the task [default: a random one]
    #[arg(long, value_name = "UUID")]
    pub(crate) xid: Option<Uuid>,
    /// What to intercept: ipv4, ipv6, endpoint, flow, tunnel, mac or vlan (see --help); may be repeated
    ///
    /// PROTO is tcp, udp or sctp; numbers are decimal or 0x and hexadecimal.
    ///   ipv4=ADDR or ipv4=ADDR/BITS
    ///   ipv6=ADDR or ipv6=ADDR/BITS
    ///   endpoint=ADDR:PORT/PROTO, an IPv6 address in brackets
    ///   flow=ADDR:PORT-ADDR:PORT/PROTO, the target's end first
    ///   tunnel=gtpu:TEID@ADDR, vxlan:VNI@ADDR, geneve:VNI@ADDR, gre:KEY@ADDR, gre@ADDR, l2tp:TUNNEL/SESSION@ADDR or ipip@ADDR, where ADDR is
    ///     the destination of the outer packets, pppoe:SESSION@MAC or mpls:LABEL
    ///   mac=MAC
    ///   vlan=PORT:ID or vlan=PORT:ID.ID, where PORT is a or b
    /// mac, vlan, pppoe and mpls select whole frames and need content over x.
    #[arg(long = "target", required = true, value_name = "KIND=VALUE", value_parser = target, verbatim_doc_comment)]
    pub(crate) targets: Vec<Target>,
    /// How much of each packet
    #[arg(long, value_parser = scope())]
    pub(crate) scope: Scope,
    /// Over which interfaces: hi (HI2, HI3) or x (X2, X3)
    #[arg(long, value_parser = delivery())]
    pub(crate) deliver: Delivery,
    /// Name of the destination
    #[arg(long, value_name = "NAME")]
    pub(crate) destination: String,
    /// When it begins: now, +5s, 2026-01-31T12:00:00Z or @TAI_NANOSECONDS
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub(crate) start: TimeSpec,
    /// When it ends: +30d (from the start), 2026-01-31T12:00:00Z or @TAI_NANOSECONDS
    #[arg(long, value_name = "TIME")]
    pub(crate) end: TimeSpec,
    /// Only say what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Verbs of `destination`.
#[derive(Debug, Subcommand)]
pub(crate) enum DestinationVerb {
    /// Make a destination known
    Add(Box<Add>),
    /// List all destinations
    List,
    /// Forget a destination that no task uses
    Remove {
        /// Its name
        name: String,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
}

/// A destination.
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name: letters, digits, dot, underscore, hyphen
    pub(crate) name: String,
    /// hi: an agency's LEMF; x: a mediation function
    #[arg(long, value_parser = delivery())]
    pub(crate) interface: Delivery,
    /// Where the LEMF takes HI2
    #[arg(long, value_name = "ADDR:PORT", value_parser = receiver, required_if_eq("interface", "hi"), conflicts_with_all = ["x2", "x3"])]
    pub(crate) hi2: Option<SocketAddr>,
    /// Where the LEMF takes HI3
    #[arg(long, value_name = "ADDR:PORT", value_parser = receiver, required_if_eq("interface", "hi"), conflicts_with_all = ["x2", "x3"])]
    pub(crate) hi3: Option<SocketAddr>,
    /// Where the mediation function takes X2
    #[arg(long, value_name = "ADDR:PORT", value_parser = receiver, required_if_eq("interface", "x"))]
    pub(crate) x2: Option<SocketAddr>,
    /// Where the mediation function takes X3
    #[arg(long, value_name = "ADDR:PORT", value_parser = receiver, required_if_eq("interface", "x"))]
    pub(crate) x3: Option<SocketAddr>,
    /// Name or address that the peer's certificate has to carry
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "danger_plaintext",
        conflicts_with = "danger_plaintext"
    )]
    pub(crate) server_name: Option<String>,
    /// Certificates of the authorities that may vouch for the peer, PEM [default: those of the daemon's configuration]
    #[arg(long, value_name = "FILE", conflicts_with = "danger_plaintext")]
    pub(crate) ca: Option<PathBuf>,
    /// Oldest TLS version
    #[arg(long, value_parser = min_tls(), default_value = "1.3")]
    pub(crate) min_tls: MinTls,
    /// What counts as delivered: barrier (the peer answered a later keep-alive) or written (only by agreement)
    #[arg(long, value_parser = confirmation(), default_value = "barrier")]
    pub(crate) confirm: Confirmation,
    /// No TLS at all: everybody on the way reads what a court sealed; audited
    #[arg(long)]
    pub(crate) danger_plaintext: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Only say what would happen
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What a destination wants otherwise than configured.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings; without them it is as the daemon's configuration has it")]
pub(crate) struct Settings {
    /// hi: version of LI-PS-PDU to say, the last number of its object identifier; orders for headers need 40 or more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(i64::from(settings::LI_VERSION_MIN)..))]
    li_version: Option<u8>,
    /// x: version of X2/X3 to say [default: 0.5]
    #[arg(long, value_parser = x_version())]
    x_version: Option<XVersion>,
    /// Send a keep-alive after so much silence (hi), or each time so much time is over (x)
    #[arg(long, value_name = "MS", value_parser = time_ms())]
    keepalive_idle_ms: Option<u32>,
    /// Give a connection up whose peer owes an answer for so long
    #[arg(long, value_name = "MS", value_parser = time_ms())]
    keepalive_answer_ms: Option<u32>,
    /// With --confirm barrier: ask for a confirmation when something was unconfirmed for so long
    #[arg(long, value_name = "MS", value_parser = time_ms())]
    barrier_ms: Option<u32>,
    /// Address of this host that connections come from
    #[arg(long, value_name = "ADDR")]
    source: Option<IpAddr>,
    /// Differentiated services code point of what is sent
    #[arg(long, value_name = "0-63", value_parser = clap::value_parser!(u8).range(..=i64::from(settings::DSCP_MAX)))]
    dscp: Option<u8>,
    /// Send at most so many bytes a second, on each of the two connections
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(settings::RATE_MIN..))]
    rate_bytes_per_s: Option<u64>,
    /// hi: prove with hashes what was delivered
    #[arg(long, value_name = "HASH", value_parser = hash())]
    integrity: Option<Hash>,
    /// A hash after so many PDUs
    #[arg(long, value_name = "N", requires = "integrity", default_value_t = Integrity::PDUS, value_parser = clap::value_parser!(u32).range(1..=i64::from(Integrity::PDUS_MAX)))]
    integrity_pdus: u32,
    /// A hash when the first PDU is so old
    #[arg(long, value_name = "MS", requires = "integrity", default_value_t = Integrity::MS, value_parser = time_ms())]
    integrity_ms: u32,
    /// Sign the hashes, with the key that the daemon's configuration names (keys.integrity)
    #[arg(long, requires = "integrity")]
    integrity_sign: bool,
    /// hi: encrypt payloads with this key, besides TLS; the daemon's configuration has keys and names (keys.payload)
    #[arg(long, value_name = "NAME")]
    payload_key: Option<String>,
}

impl Settings {
    pub(crate) fn settings(&self) -> DestinationSettings {
        let Self { integrity_pdus: pdus, integrity_ms: ms, integrity_sign: sign, .. } = *self;
        let integrity = self.integrity.map(|hash| Integrity { hash, pdus, ms, sign });
        let Self { li_version, x_version, keepalive_idle_ms, keepalive_answer_ms, barrier_ms, .. } = *self;
        let Self { source, dscp, rate_bytes_per_s, .. } = *self;
        DestinationSettings {
            li_version,
            x_version,
            keepalive_idle_ms,
            keepalive_answer_ms,
            barrier_ms,
            source,
            dscp,
            rate_bytes_per_s,
            integrity,
            payload_key: self.payload_key.clone(),
        }
    }
}

/// Verbs of `card`.
#[derive(Debug, Subcommand)]
pub(crate) enum CardVerb {
    /// Who the card is, and how it is
    Status,
    /// All counters of the card
    Counters,
    /// The rows in use, read back from the card
    Tables {
        /// Show keys (audited)
        #[arg(long)]
        reveal: bool,
    },
    #[command(flatten)]
    Local(LocalVerb),
}

/// Verbs of `card` that need no daemon: they look at this machine's own bus.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalVerb {
    /// The cards in this machine, and what each needs before it can be used
    List,
    /// Take a card from the kernel's driver and give it to vfio-pci, so that writ-cardd can have it (root)
    Bind {
        /// PCI address, like 0000:3b:00.0
        address: PciAddress,
        /// Do it though a network interface of the card is up
        #[arg(long)]
        force: bool,
        /// Only say what would be written
        #[arg(long)]
        dry_run: bool,
    },
    /// Give a card back to the kernel (root)
    Unbind {
        /// PCI address, like 0000:3b:00.0
        address: PciAddress,
        /// Only say what would be written
        #[arg(long)]
        dry_run: bool,
    },
    /// Reset a card that nobody uses, and try every register
    Selftest(Selftest),
}

/// The card to be tested.
#[derive(Debug, Args)]
#[group(id = "place", required = true, multiple = false)]
pub(crate) struct Selftest {
    /// A board in this machine, bound to vfio-pci, by its PCI address
    #[arg(long, value_name = "ADDRESS")]
    device: Option<PciAddress>,
    /// A card in another process: the socket where it is served by the vfio-user protocol, as by writ-sim
    #[arg(long, value_name = "PATH")]
    vfio_user: Option<PathBuf>,
}

impl Selftest {
    /// Where the card is. `None`: the command line names none, which its parser refuses.
    pub(crate) fn place(&self) -> Option<Place> {
        self.device.map(Place::Device).or_else(|| self.vfio_user.clone().map(Place::Socket))
    }
}

/// Where the kernel's files are.
#[derive(Debug, Args)]
pub(crate) struct Roots {
    /// Another tree in place of /sys, for tests
    #[arg(long, global = true, hide = true, value_name = "PATH", default_value = SYS)]
    sysfs: PathBuf,
    /// Another tree in place of /dev, for tests
    #[arg(long, global = true, hide = true, value_name = "PATH", default_value = "/dev")]
    dev: PathBuf,
}

impl Roots {
    pub(crate) fn sysfs(&self) -> Sysfs {
        Sysfs::at(&self.sysfs, &self.dev)
    }

    /// Whether it is this machine's own kernel that is written to.
    pub(crate) fn is_system(&self) -> bool {
        self.sysfs == Path::new(SYS)
    }
}

/// Verbs of `audit`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Show records of the log
    Show {
        /// Only those about this task
        #[arg(long, value_name = "XID")]
        task: Option<Uuid>,
        /// Only the last so many
        #[arg(long, value_name = "COUNT")]
        last: Option<u64>,
    },
    /// Check the whole chain and its signatures
    Verify {
        /// Hash that the log is known to have reached: it has to be in the log
        #[arg(long, value_name = "HEX")]
        expect_head: Option<String>,
    },
}

fn target(text: &str) -> Result<Target, writ_control::ValueError> {
    text.parse()
}

/// Names are not looked up: who answers for one decides who gets what a court sealed.
fn receiver(text: &str) -> Result<SocketAddr, writ_control::ValueError> {
    const FORM: &str =
        "a numeric address with a port, like 192.0.2.1:7002 or [2001:db8::1]:7002; names are not looked up";
    text.parse().map_err(|_| writ_control::ValueError::Form(FORM))
}

/// Never fails; the type is what `value_parser` wants.
fn sensitive(text: &str) -> Result<Sensitive, std::convert::Infallible> {
    Ok(Sensitive::new(text))
}

/// A parser for one of `all`, by the name that `name` gives to each.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|&each| name(each)))
        .map(move |text| all.iter().copied().find(|&each| name(each) == text).unwrap_or(all[0]))
}

fn x_version() -> impl TypedValueParser<Value = XVersion> {
    one_of(&XVersion::ALL, XVersion::name)
}

fn hash() -> impl TypedValueParser<Value = Hash> {
    one_of(&Hash::ALL, Hash::name)
}

fn time_ms() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(i64::from(settings::TIME_MS_MIN)..=i64::from(settings::TIME_MS_MAX))
}

fn order_kind() -> impl TypedValueParser<Value = OrderKind> {
    one_of(&OrderKind::ALL, OrderKind::name)
}

fn scope() -> impl TypedValueParser<Value = Scope> {
    one_of(&Scope::ALL, Scope::name)
}

fn delivery() -> impl TypedValueParser<Value = Delivery> {
    one_of(&Delivery::ALL, Delivery::name)
}

fn confirmation() -> impl TypedValueParser<Value = Confirmation> {
    one_of(&Confirmation::ALL, Confirmation::name)
}

fn min_tls() -> impl TypedValueParser<Value = MinTls> {
    one_of(&MinTls::ALL, MinTls::name)
}
