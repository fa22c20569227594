//! `writd.toml`: read strictly, checked wholly before anything is touched. Every complaint names file, line, column and key.

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};
use toml::Spanned;
use writ_abi::{
    limits::{RECORD_RINGS, RING_LINES_MAX, RING_LINES_MIN},
    parse::TunnelKind,
};
use writ_driver::INDEX_DELAY_NS_MAX;
use writ_tables::IPV6_PREFIX_BITS_MIN;

/// What stands in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// What has to survive everything: store, audit log, journals.
    pub(crate) state_dir: PathBuf,
    /// What has to survive the process, not the machine: arena, sockets.
    pub(crate) runtime_dir: PathBuf,
    /// Who we are at the handover.
    pub(crate) network: Network,
    /// Who may do what.
    pub(crate) roles: Vec<Person>,
    /// Which card.
    pub(crate) card: Card,
    /// The control socket.
    #[serde(default)]
    pub(crate) control: ControlSocket,
    /// Memory for accepted PDUs.
    #[serde(default)]
    pub(crate) arena: Arena,
    /// Who we are to the destinations.
    pub(crate) tls: Tls,
    /// Where the master key comes from.
    pub(crate) keys: Keys,
    /// Times and sizes that a carrier may want to change.
    #[serde(default)]
    pub(crate) limits: Limits,
}

/// Identifiers that every PDU carries.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    /// ISO 3166-1 alpha-2.
    pub(crate) country: Spanned<String>,
    /// Operator identifier, 1 to 16 bytes.
    pub(crate) operator: Spanned<String>,
    /// Network element identifier, 1 to 16 bytes; NFID on X2/X3.
    pub(crate) element: Spanned<String>,
    /// Interception point, 1 to 8 bytes; IPID on X2/X3.
    pub(crate) interception_point: Spanned<String>,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Change tasks and destinations, and see them.
    Operate,
    /// See everything with its identities; approval of other people's orders will hang on it.
    Approve,
    /// Read and check the audit log, and see everything with its identities.
    Audit,
    /// See states and counts, without identities.
    View,
}

/// A person, known by uid.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// The uid that SO_PEERCRED reports.
    pub(crate) uid: Spanned<u32>,
    /// The name that goes into the records.
    pub(crate) person: Spanned<String>,
    /// Roles.
    pub(crate) may: BTreeSet<Role>,
}

/// What stands behind the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// The golden model.
    Model,
    /// The gateware, Verilated.
    Rtl,
    /// Whatever card `writ-cardd` has.
    Cardd,
}

impl Backend {
    /// The name, as configured.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Rtl => "rtl",
            Self::Cardd => "cardd",
        }
    }
}

/// The card.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card {
    /// What stands behind the driver.
    pub(crate) backend: Spanned<Backend>,
    /// Where `writ-cardd` listens, with `backend = "cardd"`.
    pub(crate) cardd: Option<PathBuf>,
    /// Where the wire of a card that is simulated in this process is served; without it no traffic can be played.
    pub(crate) wire_socket: Option<PathBuf>,
    /// Card time at start, TAI ns; without it the host's clock is taken.
    pub(crate) epoch_ns: Option<Spanned<u64>>,
    /// Lines of 64 bytes of the record rings.
    #[serde(default = "default_record_ring_lines")]
    pub(crate) record_ring_lines: Spanned<RingLines>,
    /// Length of the IPv6 prefixes in the card's prefix table: that which this network delegates. Without it the table is not used.
    pub(crate) prefix_bits: Option<Spanned<u8>>,
    /// Microseconds that records may wait in the card for others of their ring before the host is told.
    pub(crate) index_delay_us: Option<Spanned<u32>>,
    /// Tunnels that are the carrier's own: what runs in them is what the customer sent, so every hit is of the inner IP packet.
    #[serde(default)]
    pub(crate) own_tunnels: BTreeSet<OwnTunnel>,
}

fn default_record_ring_lines() -> Spanned<RingLines> {
    Spanned::new(0..0, RingLines::All(65_536))
}

/// Sizes of the record rings: one for all that there are, or a list of as many as are to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RingLines {
    /// Each of the rings has so many lines.
    All(u32),
    /// The first rings have so many lines, the others are not used.
    First(Vec<u32>),
}

impl RingLines {
    /// Lines of each ring; 0 for those that are not used.
    pub(crate) fn lines(&self) -> [u32; RECORD_RINGS] {
        match self {
            Self::All(lines) => [*lines; RECORD_RINGS],
            Self::First(list) => std::array::from_fn(|ring| list.get(ring).copied().unwrap_or(0)),
        }
    }

    fn is_good(&self) -> bool {
        let good = |lines: &u32| lines.is_power_of_two() && (RING_LINES_MIN..=RING_LINES_MAX).contains(lines);
        match self {
            Self::All(lines) => good(lines),
            Self::First(list) => (1..=RECORD_RINGS).contains(&list.len()) && list.iter().all(good),
        }
    }
}

impl<'de> Deserialize<'de> for RingLines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = RingLines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of lines, or a list with one for each ring")
            }

            fn visit_i64<E: de::Error>(self, lines: i64) -> Result<RingLines, E> {
                // What is no number of lines is refused with the others, by name.
                Ok(RingLines::All(u32::try_from(lines).unwrap_or(0)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RingLines, A::Error> {
                let mut lines = Vec::new();
                while let Some(each) = list.next_element()? {
                    lines.push(each);
                }
                Ok(RingLines::First(lines))
            }
        }
        deserializer.deserialize_any(Numbers)
    }
}

/// A kind of tunnel over IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OwnTunnel {
    Gtpu,
    Vxlan,
    Geneve,
    /// With a key or without.
    Gre,
    L2tp,
    Ipip,
}

impl OwnTunnel {
    /// The card's kinds for it.
    pub(crate) const fn kinds(self) -> &'static [TunnelKind] {
        match self {
            Self::Gtpu => &[TunnelKind::GtpU],
            Self::Vxlan => &[TunnelKind::Vxlan],
            Self::Geneve => &[TunnelKind::Geneve],
            Self::Gre => &[TunnelKind::Gre, TunnelKind::GreKey],
            Self::L2tp => &[TunnelKind::L2tp],
            Self::Ipip => &[TunnelKind::IpInIp],
        }
    }

    /// The name, as configured.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gtpu => "gtpu",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::L2tp => "l2tp",
            Self::Ipip => "ipip",
        }
    }
}

/// The control socket.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ControlSocket {
    /// Its path; without it `control.sock` in the runtime folder.
    pub(crate) socket: Option<PathBuf>,
    /// Group whose members may connect; without it only the daemon's own user. Connecting is not a role.
    pub(crate) group: Option<u32>,
}

/// The arena.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Arena {
    /// Blocks of 256 KiB.
    pub(crate) blocks: Spanned<u32>,
    /// Blocks that one destination may hold.
    pub(crate) blocks_per_destination: Option<Spanned<u32>>,
}

impl Default for Arena {
    fn default() -> Self {
        Self { blocks: Spanned::new(0..0, 128), blocks_per_destination: None }
    }
}

/// TLS of the delivery side.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// Our certificate chain, PEM.
    pub(crate) certificate: PathBuf,
    /// Our private key, PEM; readable by its owner only.
    pub(crate) key: PathBuf,
    /// Authorities for destinations that name none, PEM.
    pub(crate) ca: PathBuf,
}

/// Keys. The master key comes from one of the first two.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keys {
    /// A file beside the data that it protects: for laboratories. Made at the first start.
    pub(crate) danger_key_file: Option<PathBuf>,
    /// Name of a credential that systemd hands over.
    pub(crate) credential: Option<String>,
    /// Private key, PEM, that signs what destinations with signatures get: ECDSA with P-256, or Ed25519.
    pub(crate) integrity: Option<PathBuf>,
    /// Keys for payloads on HI2 and HI3, by the names that destinations use: files with 48 or 64 hexadecimal digits.
    #[serde(default)]
    pub(crate) payload: BTreeMap<String, PathBuf>,
}

/// Times and sizes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// After its end a task's data is delivered for at most this long.
    pub(crate) drain_s: u64,
    /// At a stop, wait at most this long for what can still be delivered.
    pub(crate) shutdown_flush_ms: u64,
    /// Send a keep-alive after so much silence.
    pub(crate) keepalive_idle_ms: Spanned<u64>,
    /// Give up a connection whose peer owes an answer for so long.
    pub(crate) keepalive_answer_ms: Spanned<u64>,
    /// With `barrier`: ask for a confirmation when something was unconfirmed for so long.
    pub(crate) barrier_ms: Spanned<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            drain_s: 3600,
            shutdown_flush_ms: 2000,
            keepalive_idle_ms: Spanned::new(0..0, 60_000),
            keepalive_answer_ms: Spanned::new(0..0, 30_000),
            barrier_ms: Spanned::new(0..0, 1_000),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    /// Line and column, counted from 1.
    at: Option<(usize, usize)>,
    what: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks a file. Relative paths are made relative to the file's folder.
    pub(crate) fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError {
            file: file.to_owned(),
            at: None,
            what: format!("cannot be read: {error}"),
        })?;
        Self::parse(&text, file)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let fail = |span: Option<Range<usize>>, what: String| ConfigError {
            file: file.to_owned(),
            at: span.map(|span| line_and_column(text, span.start)),
            what,
        };
        let mut config: Self =
            toml::from_str(text).map_err(|error| fail(error.span(), error.message().trim().to_owned()))?;
        config.check().map_err(|(span, what)| fail(span, what))?;
        // A bare name has an empty parent, and so would what is joined to it: no folder that could be opened.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        config.resolve_paths(folder.unwrap_or(Path::new(".")));
        Ok(config)
    }

    fn check(&self) -> Result<(), Complaint> {
        self.check_network()?;
        self.check_roles()?;
        self.check_sizes()?;
        match (&self.keys.danger_key_file, &self.keys.credential) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            _ => Err((None, "keys: give either danger_key_file or credential".into())),
        }
    }

    fn check_network(&self) -> Result<(), Complaint> {
        let network = &self.network;
        let country = network.country.get_ref();
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        require(is_country, &network.country, "network.country: two capital letters of ISO 3166-1 are wanted")?;
        for (value, key, bytes_max) in [
            (&network.operator, "operator", 16),
            (&network.element, "element", 16),
            (&network.interception_point, "interception_point", 8),
        ] {
            let text = value.get_ref();
            // PrintableString is the narrowest type that they go into.
            let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
            let good = (1..=bytes_max).contains(&text.len()) && text.chars().all(printable);
            let what = format!("network.{key}: 1 to {bytes_max} letters, digits, spaces or '()+,-./:=? are wanted");
            require(good, value, &what)?;
        }
        Ok(())
    }

    fn check_roles(&self) -> Result<(), Complaint> {
        if self.roles.is_empty() {
            return Err((None, "roles: nobody may do anything; at least one [[roles]] entry is wanted".into()));
        }
        let mut seen = BTreeSet::new();
        for person in &self.roles {
            let name = person.person.get_ref().trim();
            let good = !name.is_empty() && name.len() <= 128 && !name.chars().any(char::is_control);
            require(
                good,
                &person.person,
                "roles.person: the name of the responsible person is wanted, at most 128 bytes",
            )?;
            require(!person.may.is_empty(), &person.uid, "roles.may: at least one role is wanted")?;
            require(seen.insert(*person.uid.get_ref()), &person.uid, "roles.uid: this uid was given before")?;
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), Complaint> {
        let lines = &self.card.record_ring_lines;
        let what = format!(
            "card.record_ring_lines: a power of two from {RING_LINES_MIN} to {RING_LINES_MAX} is wanted, or a list of 1 to {RECORD_RINGS} of them"
        );
        require(lines.get_ref().is_good(), lines, &what)?;
        if let Some(delay) = &self.card.index_delay_us {
            let most = INDEX_DELAY_NS_MAX / 1000;
            let good = *delay.get_ref() <= most;
            require(good, delay, &format!("card.index_delay_us: 0 to {most} are wanted"))?;
        }
        if let Some(bits) = &self.card.prefix_bits {
            let good = (IPV6_PREFIX_BITS_MIN..128).contains(bits.get_ref());
            require(good, bits, &format!("card.prefix_bits: {IPV6_PREFIX_BITS_MIN} to 127 are wanted"))?;
        }
        let blocks = &self.arena.blocks;
        require((8..=65_536).contains(blocks.get_ref()), blocks, "arena.blocks: 8 to 65536 are wanted")?;
        if let Some(cap) = &self.arena.blocks_per_destination {
            let good = (2..=*blocks.get_ref()).contains(cap.get_ref());
            require(good, cap, "arena.blocks_per_destination: 2 to arena.blocks are wanted")?;
        }
        for (value, key) in [
            (&self.limits.keepalive_idle_ms, "keepalive_idle_ms"),
            (&self.limits.keepalive_answer_ms, "keepalive_answer_ms"),
            (&self.limits.barrier_ms, "barrier_ms"),
        ] {
            let good = (10..=3_600_000).contains(value.get_ref());
            require(good, value, &format!("limits.{key}: 10 to 3600000 are wanted"))?;
        }
        self.check_backend()
    }

    fn check_backend(&self) -> Result<(), Complaint> {
        let Card { backend, cardd, wire_socket, .. } = &self.card;
        let is_cardd = *backend.get_ref() == Backend::Cardd;
        let what = "card.cardd: the socket of writ-cardd goes with backend = \"cardd\", and that with the socket";
        require(is_cardd == cardd.is_some(), backend, what)?;
        let what = "card.wire_socket: a card of writ-cardd has its wires elsewhere";
        require(!is_cardd || wire_socket.is_none(), backend, what)?;
        let what = "card.backend: this writd was built without the feature `rtl`";
        require(*backend.get_ref() != Backend::Rtl || cfg!(feature = "rtl"), backend, what)
    }

    fn resolve_paths(&mut self, base: &Path) {
        let paths = [
            Some(&mut self.state_dir),
            Some(&mut self.runtime_dir),
            self.card.cardd.as_mut(),
            self.card.wire_socket.as_mut(),
            self.control.socket.as_mut(),
            Some(&mut self.tls.certificate),
            Some(&mut self.tls.key),
            Some(&mut self.tls.ca),
            self.keys.danger_key_file.as_mut(),
            self.keys.integrity.as_mut(),
        ];
        for path in paths.into_iter().flatten().chain(self.keys.payload.values_mut()) {
            *path = base.join(&*path);
        }
    }

    /// Where operators connect.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.control.socket.clone().unwrap_or_else(|| self.runtime_dir.join("control.sock"))
    }
}

type Complaint = (Option<Range<usize>>, String);

fn require<T>(good: bool, value: &Spanned<T>, what: &str) -> Result<(), Complaint> {
    if good { Ok(()) } else { Err((Some(value.span()), what.to_owned())) }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
state_dir = "state"
runtime_dir = "/run/writ"

[network]
country = "US"
operator = "CARRIER"
element = "NE-1"
interception_point = "POI-1"

[[roles]]
uid = 1000
person = "Pat Example"
may = ["operate", "view"]

[card]
backend = "model"

[tls]
certificate = "pki/writd.pem"
key = "pki/writd.key"
ca = "pki/ca.pem"

[keys]
danger_key_file = "master.key"
"#;

    #[test]
    fn good_configuration_with_defaults_and_resolved_paths() {
        let config = Config::parse(GOOD, Path::new("/etc/writ/writd.toml")).expect("good");
        assert_eq!(config.state_dir, Path::new("/etc/writ/state"));
        assert_eq!(config.control_socket(), Path::new("/run/writ/control.sock"));
        assert_eq!(*config.arena.blocks.get_ref(), 128);
        assert_eq!(config.card.record_ring_lines.get_ref().lines(), [65_536; 4]);
        assert!(config.card.prefix_bits.is_none() && config.card.own_tunnels.is_empty());
        assert_eq!(config.roles[0].may, BTreeSet::from([Role::Operate, Role::View]));
    }

    #[test]
    fn a_bare_file_name_means_the_folder_that_writd_is_in() {
        let config = Config::parse(GOOD, Path::new("writd.toml")).expect("good");
        let key = config.keys.danger_key_file.expect("given");
        assert_eq!((key.as_path(), key.parent()), (Path::new("./master.key"), Some(Path::new("."))));
    }

    #[test]
    fn complaints_name_file_line_and_key() {
        let cases = [
            ("country = \"US\"", "country = \"usa\"", ":6:11", "network.country"),
            ("operator = \"CARRIER\"", "operator = \"\"", ":7:12", "network.operator"),
            ("element = \"NE-1\"", "element = \"a much too long name\"", ":8:11", "network.element"),
            ("interception_point = \"POI-1\"", "interception_point = \"POI_1\"", ":9:22", "network.interception_point"),
            ("uid = 1000", "uid = -1", ":12:7", "-1"),
            ("person = \"Pat Example\"", "person = \" \"", ":13:10", "roles.person"),
            ("may = [\"operate\", \"view\"]", "may = [\"operate\", \"rule\"]", ":14:", "rule"),
            ("may = [\"operate\", \"view\"]", "may = []", ":12:7", "roles.may"),
            ("backend = \"model\"", "backend = \"fpga\"", ":17:11", "fpga"),
            ("backend = \"model\"", "backend = \"cardd\"", ":17:11", "card.cardd"),
            ("backend = \"model\"", "backend = \"model\"\ncardd = \"run/cardd.sock\"", ":17:11", "card.cardd"),
            (
                "backend = \"model\"",
                "backend = \"cardd\"\ncardd = \"c\"\nwire_socket = \"w\"",
                ":17:11",
                "card.wire_socket",
            ),
            ("backend = \"model\"", "backend = \"model\"\nrecord_ring_lines = 1000", ":18:21", "power of two"),
            ("backend = \"model\"", "backend = \"model\"\nrecord_ring_lines = -1", ":18:21", "power of two"),
            ("backend = \"model\"", "backend = \"model\"\nrecord_ring_lines = [512, 1000]", ":18:21", "list of 1 to 4"),
            ("backend = \"model\"", "backend = \"model\"\nrecord_ring_lines = []", ":18:21", "list of 1 to 4"),
            ("backend = \"model\"", "backend = \"model\"\nrecord_ring_lines = \"big\"", ":18:21", "number of lines"),
            ("backend = \"model\"", "backend = \"model\"\nprefix_bits = 128", ":18:15", "card.prefix_bits"),
            ("backend = \"model\"", "backend = \"model\"\nprefix_bits = 8", ":18:15", "card.prefix_bits"),
            ("backend = \"model\"", "backend = \"model\"\nindex_delay_us = 204", ":18:18", "card.index_delay_us"),
            ("backend = \"model\"", "backend = \"model\"\nown_tunnels = [\"pppoe\"]", ":18:", "pppoe"),
            ("backend = \"model\"", "backend = \"model\"\nspeed = 100", ":18:1", "speed"),
            ("danger_key_file = \"master.key\"", "", "", "danger_key_file or credential"),
            ("[keys]", "[arena]\nblocks = 3\n[keys]", ":25:10", "arena.blocks"),
            ("[keys]", "[limits]\nkeepalive_idle_ms = 1\n[keys]", ":25:21", "keepalive_idle_ms"),
            ("state_dir = \"state\"", "state_dir = ", ":2:", ""),
        ];
        for (from, to, at, wanted) in cases {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let error = Config::parse(&text, Path::new("/etc/writ/writd.toml")).expect_err(to).to_string();
            let start = format!("/etc/writ/writd.toml{at}");
            assert!(error.starts_with(&start) && error.contains(wanted), "{to}: {error}");
        }
    }

    #[test]
    fn rings_prefixes_and_own_tunnels() {
        let card =
            "backend = \"model\"\nrecord_ring_lines = [1024, 256]\nprefix_bits = 56\nown_tunnels = [\"gre\", \"gtpu\"]";
        let config = Config::parse(&GOOD.replace("backend = \"model\"", card), Path::new("f")).expect("good").card;
        assert_eq!(config.record_ring_lines.get_ref().lines(), [1024, 256, 0, 0]);
        assert_eq!(config.prefix_bits.map(Spanned::into_inner), Some(56));
        let kinds: Vec<TunnelKind> = config.own_tunnels.iter().flat_map(|tunnel| tunnel.kinds()).copied().collect();
        assert_eq!(kinds, [TunnelKind::GtpU, TunnelKind::Gre, TunnelKind::GreKey]);
        assert_eq!(config.own_tunnels.iter().map(|tunnel| tunnel.name()).collect::<Vec<_>>(), ["gtpu", "gre"]);
    }

    #[test]
    fn missing_section_and_repeated_uid() {
        let error = Config::parse(&GOOD.replace("[tls]", "[card2]"), Path::new("f")).expect_err("unknown").to_string();
        assert!(error.contains("card2") || error.contains("tls"), "{error}");
        let twice = GOOD.replace("[card]", "[[roles]]\nuid = 1000\nperson = \"X\"\nmay = [\"view\"]\n[card]");
        let error = Config::parse(&twice, Path::new("f")).expect_err("twice").to_string();
        assert!(error.contains("given before"), "{error}");
    }
}
