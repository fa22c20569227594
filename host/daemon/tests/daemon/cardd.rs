//! The card in one process, its owner in a second one, the daemon in a third one: who survives whose death.

use crate::frames::{frame, packet4};
use crate::lab;
use crate::peer::{Language, Peer};
use crate::site::{Daemon, Site, activation};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, IrqInfo, Server, ServerBackend, ServerRegion};
use writ_abi::command::{Command, Row};
use writ_abi::registers::{Counter, control, counters, identity};
use writ_abi::time::{NOT_AFTER_NEVER, TimeQuality};
use writ_abi::{MAGIC, MatchIndex, PortSide, Scope, Table, hash, key, pci};
use writ_driver::bus::cardd::{CarddCard, CarddError};
use writ_driver::bus::vfio_user::VfioUserCard;
use writ_driver::memory::{HostMemory, PageSize};
use writ_driver::{
    Adopt, BringUp, Card, CardError, Event, Flow, LookupSettings, Parts, RecordRing, RingMemory, RingSizes, Wake,
    register_walk,
};
use writ_handover::pspdu;
use writ_sim::wire::{Client, PlayFrame};

const TARGET: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const SIZES: RingSizes = RingSizes::uniform(1 << 12, 64);
const TIMEOUT: Duration = Duration::from_secs(20);
/// In whole expiry ticks.
const EPOCH_NS: u64 = (1_700_000_000_000_000_000 >> 20) << 20;

/// A folder for the processes' sockets.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("writ-cardd-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("temporary folder");
        Self(path)
    }

    fn connect(&self) -> Result<CarddCard, CarddError> {
        connect(&self.0)
    }

    fn take(&self) -> CarddCard {
        take(&self.0)
    }

    fn wire(&self) -> Client {
        Client::connect(&self.0.join("wire.sock")).expect("the card's process serves its wires")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn connect(folder: &Path) -> Result<CarddCard, CarddError> {
    CarddCard::connect(&folder.join("cardd.sock"))
}

/// Takes the card; whoever had it may be just leaving.
fn take(folder: &Path) -> CarddCard {
    let start = Instant::now();
    loop {
        match connect(folder) {
            Err(CarddError::InUse) if start.elapsed() < TIMEOUT => std::thread::sleep(Duration::from_millis(5)),
            taken => return taken.expect("the card is free"),
        }
    }
}

fn bring_up(card: &CarddCard) -> Parts {
    let rings = RingMemory::allocate(&card.dma(), &SIZES).expect("room");
    let lookup = LookupSettings::default();
    let how = BringUp { now_ns: EPOCH_NS, quality: TimeQuality::Free, lookup, ready_timeout: TIMEOUT };
    Card::bring_up(card.bar(), rings, card.irqs().expect("descriptors"), &how).expect("a good card")
}

fn row(not_after: u64) -> Command {
    let wanted = key::address_key(TARGET.into());
    let place = hash::rows(&wanted, Table::Address.rows_per_way())[0];
    let match_index = MatchIndex::new(1).expect("in range");
    let mut row = Row { key: [0; key::KEY_BYTES_MAX], match_index, scope: Scope::Content, not_after, ring: 0 };
    row.key[..wanted.len()].copy_from_slice(&wanted);
    Command::write_row(0, Table::Address, 0, place, &row)
}

fn play(wire: &mut Client, count: u16) {
    let now = wire.card_time_ns().expect("time") + 1_000_000;
    let frames = (0..count).map(|number| {
        let bytes = frame(&packet4(TARGET, OTHER, (4000, number), &[7; 300]));
        PlayFrame::new(PortSide::A, now + 20_000 * u64::from(number), bytes)
    });
    let played = wire.play(frames, |_| {}).expect("played");
    assert_eq!((played.frames, played.lost), (count.into(), 0), "the wire goes on whatever happens");
}

/// The card notices in its own time that its owner is gone; its clock begins again then, so frames that are placed before would lie far ahead.
fn await_reset(wire: &mut Client) {
    let start = Instant::now();
    while wire.card_time_ns().expect("time") >= EPOCH_NS {
        assert!(start.elapsed() < TIMEOUT, "the card was not reset");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn records(ring: &mut RecordRing, count: usize) {
    let mut got = 0;
    while got < count {
        assert_eq!(ring.wait(TIMEOUT), Wake::Signalled, "{got} of {count} have come");
        let mut take = |event: Event<'_>| {
            assert!(matches!(event, Event::Packet(_)), "nothing is lost: {event:?}");
            got += 1;
            Flow::Taken
        };
        ring.poll(64, &mut take).expect("good records");
    }
    assert_eq!(got, count);
}

#[test]
fn a_driver_reaches_the_card_through_its_owner() {
    let folder = Folder::new();
    let (_card, _cardd) = (lab::card(&folder.0), lab::cardd(&folder.0, &[]));
    let owned = folder.take();
    assert_eq!(owned.daemons_before(), 0);
    assert_eq!(register_walk(&owned.bar()), [], "every register, index or not");
    let Parts { card, mut commands, rings } = bring_up(&owned);
    commands.execute(&[row(NOT_AFTER_NEVER)], TIMEOUT).expect("done");
    card.arm().expect("armed");
    let mut ring = rings.into_iter().next().expect("ring 0");
    let (mut wire, mut played) = (folder.wire(), 0);
    // Several times around the ring: consumer indices get to the card, in their own time; what is played before fits beside what is played next.
    while played < 4500 {
        play(&mut wire, 300);
        records(&mut ring, 300);
        played += 300;
    }
    assert_eq!(wire.statistics().expect("statistics").dma_faults, 0);
}

#[test]
fn one_daemon_at_a_time_and_of_the_right_uid() {
    let folder = Folder::new();
    let (_card, mut cardd) = (lab::card(&folder.0), lab::cardd(&folder.0, &[]));
    let first = folder.take();
    assert!(matches!(folder.connect(), Err(CarddError::InUse)));
    assert_eq!(first.bar().read32(0), MAGIC, "the first one has noticed nothing");
    let said = lab::cardd_refuses(&folder.0, &[]);
    assert!(said.contains("another writ-cardd listens there"), "{said}");
    let second = HostMemory::shared(4096, PageSize::Small).expect("memory");
    let direct = VfioUserCard::open(&folder.0.join("card.sock"), second).expect_err("refused");
    assert!(direct.to_string().contains("in use by another process"), "{direct}");
    drop(first);
    drop(folder.take());
    cardd.kill();
    let stranger = rustix::process::geteuid().as_raw() + 1;
    let _cardd = lab::cardd(&folder.0, &["--allow-uid", &stranger.to_string()]);
    assert!(matches!(folder.connect(), Err(CarddError::Stranger)));
}

/// The daemon dies: the card copies on and keeps to the ends of its rows; the next daemon has the same memory.
#[test]
fn the_card_runs_on_without_a_daemon() {
    let folder = Folder::new();
    let (_card, _cardd) = (lab::card(&folder.0), lab::cardd(&folder.0, &[]));
    let owned = folder.take();
    let Parts { card, mut commands, rings } = bring_up(&owned);
    let end_ns = card.now_ns().expect("time") + 4_000_000_000;
    commands.execute(&[row(end_ns >> 20)], TIMEOUT).expect("done");
    card.arm().expect("armed");
    let ring_base = HostMemory::BUS_BASE;
    let session = owned.session().expect("it answers");
    assert!(session.is_some());
    drop((card, commands, rings, owned));

    let mut wire = folder.wire();
    play(&mut wire, 20);
    let second = folder.take();
    assert_eq!(second.daemons_before(), 1);
    let bar = second.bar();
    assert_eq!(bar.read32(control::CONTROL_AT), control::ARMED.mask(), "still armed");
    assert_eq!(second.session().expect("it answers"), session, "the same life of the card");
    let line = second.dma().card().read_line(ring_base).expect("there");
    assert_ne!(line, [0; 64], "what was copied meanwhile waits in the ring");
    drop((bar, second));
    // Nobody there when the end comes.
    while wire.card_time_ns().expect("time") < end_ns + 2_000_000 {
        std::thread::sleep(Duration::from_millis(20));
    }
    play(&mut wire, 30);
    let third = folder.take();
    assert_eq!(third.daemons_before(), 2);
    let bar = third.bar();
    let counter = |counter: Counter| {
        let at = counters::address(counter).expect("it exists");
        u64::from(bar.read32(at)) | u64::from(bar.read32(at + 4)) << 32
    };
    let start = Instant::now();
    let counted = || {
        bar.write32(control::CONTROL_AT, control::ARMED.mask() | control::SNAPSHOT.mask());
        (counter(Counter::Records), counter(Counter::ExpiredHits))
    };
    // What is on the wire may still be in the card.
    while counted() != (20, 30) {
        assert!(start.elapsed() < TIMEOUT, "{:?}", counted());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(third.session().expect("it answers"), session);
    bar.write32(control::CONTROL_AT, control::RESET.mask());
    assert_ne!(third.session().expect("it answers"), session, "another life");
}

/// The owner dies: the card is disarmed, and the daemon notices.
#[test]
fn without_its_owner_the_card_is_disarmed() {
    let folder = Folder::new();
    let (_card, mut cardd) = (lab::card(&folder.0), lab::cardd(&folder.0, &[]));
    let owned = folder.take();
    let Parts { card, mut commands, rings } = bring_up(&owned);
    commands.execute(&[row(NOT_AFTER_NEVER)], TIMEOUT).expect("done");
    card.arm().expect("armed");
    let mut ring = rings.into_iter().next().expect("ring 0");
    let waiting = std::thread::spawn(move || while ring.wait(TIMEOUT) != Wake::Gone {});
    cardd.kill();
    waiting.join().expect("it ends");
    assert!(matches!(card.arm(), Err(CardError::Gone { .. })));
    assert!(folder.connect().is_err());
    let mut wire = folder.wire();
    await_reset(&mut wire);
    let faults = wire.statistics().expect("statistics").dma_faults;
    play(&mut wire, 10);
    assert_eq!(
        wire.statistics().expect("statistics").dma_faults,
        faults,
        "a card that is disarmed reaches for nothing"
    );
    // The next owner finds the function free, and its own memory empty.
    let _cardd = lab::cardd(&folder.0, &[]);
    let next = folder.take();
    assert_eq!((next.daemons_before(), next.bar().read32(control::CONTROL_AT)), (0, 0));
}

#[test]
fn without_a_card_there_is_no_owner() {
    let folder = Folder::new();
    let said = lab::cardd_refuses(&folder.0, &[]);
    assert!(said.contains("is its process running?"), "{said}");
    let (mut card, mut cardd) = (lab::card(&folder.0), lab::cardd(&folder.0, &[]));
    card.kill();
    assert_eq!(cardd.wait(), Some(1), "it ends with its card");
    std::fs::write(folder.0.join("cardd.sock.txt"), "precious").expect("written");
    let _ = std::fs::remove_file(folder.0.join("cardd.sock"));
    std::fs::write(folder.0.join("cardd.sock"), "precious").expect("written");
    assert!(lab::cardd_refuses(&folder.0, &[]).contains("no socket"));
}

/// Who connects and says nothing keeps the daemon out for a moment, not for ever.
#[test]
fn a_silent_peer_is_sent_away() {
    let folder = Folder::new();
    let (_card, _cardd) = (lab::card(&folder.0), lab::cardd(&folder.0, &[]));
    let mut silent = UnixStream::connect(folder.0.join("cardd.sock")).expect("it listens");
    let start = Instant::now();
    let owned = folder.take();
    assert!(start.elapsed() < Duration::from_secs(10));
    let mut said = Vec::new();
    silent.read_to_end(&mut said).expect("an end");
    assert!(!said.is_empty(), "it was told so");
    assert_eq!(owned.bar().read32(0), MAGIC);
    // Half a word is no word.
    drop(owned);
    let mut slow = UnixStream::connect(folder.0.join("cardd.sock")).expect("it listens");
    slow.write_all(&[1]).expect("sent");
    assert_eq!(folder.take().bar().read32(0), MAGIC);
}

/// A board cannot be had here, but the way to it can: address, kernel files, what to type.
#[test]
fn a_board_is_named_by_its_address() {
    let folder = Folder::new();
    let socket = folder.0.join("cardd.sock");
    let socket = socket.to_str().expect("plain");
    let (status, said) = lab::cardd_alone(&["--socket", socket, "--device", "fffe:fe:1f.7"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("no PCI function at fffe:fe:1f.7") && said.contains("writ card list"), "{said}");
    for (arguments, word) in [
        (&["--socket", socket, "--device", "3b"][..], "lspci -D"),
        (&["--socket", socket], "--device"),
        (&["--socket", socket, "--device", "3b:00.0", "--vfio-user", "s"], "cannot be used with"),
        (&["--vfio-user", "s"], "--socket-on-stdin"),
        (&["--socket", socket, "--socket-on-stdin", "--vfio-user", "s"], "cannot be used with"),
    ] {
        let (status, said) = lab::cardd_alone(arguments);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains(word), "{said}");
    }
}

/// The golden model stands behind no bus.
#[test]
fn interrupts_of_a_card_without_a_bus_are_not_moderated() {
    let folder = Folder::new();
    let _card = lab::card(&folder.0);
    assert!(lab::cardd_refuses(&folder.0, &["--moderation-us", "100"]).contains("stands behind no bus"));
    assert!(lab::cardd_refuses(&folder.0, &["--moderation-us", "67108"]).contains("--moderation-us"));
}

#[test]
fn a_socket_may_be_there_before() {
    let folder = Folder::new();
    let _card = lab::card(&folder.0);
    let listener = UnixListener::bind(folder.0.join("cardd.sock")).expect("free");
    // Whoever comes before waits, and is heard.
    let _cardd = lab::cardd_on_stdin(&folder.0, listener);
    assert_eq!(folder.take().bar().read32(0), MAGIC);
    let (status, said) = lab::cardd_alone(&["--socket-on-stdin", "--vfio-user", "s"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("StandardInput=socket"), "{said}");
}

#[test]
fn missing_huge_pages_are_said_and_small_ones_taken_only_if_allowed() {
    let free = std::fs::read_to_string("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
    if free.is_ok_and(|text| text.trim().parse::<u32>().is_ok_and(|free| free >= 2)) {
        eprintln!("SKIPPED: this machine has huge pages of 1 GiB");
        return;
    }
    let folder = Folder::new();
    let _card = lab::card(&folder.0);
    let options = ["--pages", "1g", "--memory-mib", "2000"];
    let said = lab::cardd_refuses(&folder.0, &options);
    assert!(said.contains("pages of 1g") && said.contains("4k"), "{said}");
    assert!(lab::cardd_refuses(&folder.0, &["--pages", "banana"]).contains("there are 4k, 2m and 1g"));
    let _cardd = lab::cardd(&folder.0, &["--pages", "1g", "--small-pages-will-do"]);
    assert_eq!(folder.take().dma().len(), 32 << 20);
}

/// A function with our numbers in front of another card.
struct OtherCard {
    magic: u32,
    abi: u32,
    config: [u8; 64],
}

impl ServerBackend for OtherCard {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        let registers = [(identity::MAGIC_AT, self.magic), (identity::ABI_AT, self.abi)];
        let value = registers.iter().find(|(at, _)| u64::from(*at) == offset).map_or(0, |(_, value)| *value);
        match region {
            0 => data.copy_from_slice(&value.to_le_bytes()),
            _ => data.copy_from_slice(&self.config[offset as usize..][..data.len()]),
        }
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        assert_eq!(region, 7, "no register is written");
        self.config[offset as usize..][..data.len()].copy_from_slice(data);
        Ok(())
    }

    fn dma_map(&mut self, _: DmaMapFlags, _: u64, _: u64, _: u64, _: Option<File>) -> io::Result<()> {
        Ok(())
    }

    fn dma_unmap(&mut self, _: DmaUnmapFlags, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn set_irqs(&mut self, _: u32, _: u32, _: u32, _: u32, _: Vec<File>) -> io::Result<()> {
        Ok(())
    }
}

fn serve_other(path: &Path, magic: u32, abi: u32) {
    let region = |index: u32| {
        let size = if matches!(index, 0 | 7) { 0x4000 } else { 0 };
        let region_info =
            vfio_bindings::bindings::vfio::vfio_region_info { index, size, flags: 3, ..Default::default() };
        ServerRegion { region_info, sparse_areas: Vec::new(), mmap_fd: None }
    };
    let irqs = (0..5).map(|index| IrqInfo { index, flags: 1, count: 8 }).collect();
    let server = Server::new(path, true, irqs, (0..9).map(region).collect()).expect("listens");
    std::thread::spawn(move || {
        let mut config = [0; 64];
        for (at, id) in [(0, pci::VENDOR), (2, pci::DEVICE), (0x2e, pci::SUBSYSTEM)] {
            config[at..at + 2].copy_from_slice(&id.to_le_bytes());
        }
        server.run(&mut OtherCard { magic, abi, config })
    });
}

#[test]
fn a_wrong_card_and_a_wrong_abi_are_refused() {
    let folder = Folder::new();
    let major = u32::from(writ_abi::ABI_MAJOR);
    serve_other(&folder.0.join("card.sock"), 0x1234_5678, identity::ABI_MAJOR_FIELD.place(major));
    let said = lab::cardd_refuses(&folder.0, &[]);
    assert!(said.contains("no Writ card: magic is 0x12345678"), "{said}");
    let folder = Folder::new();
    serve_other(&folder.0.join("card.sock"), MAGIC, identity::ABI_MAJOR_FIELD.place(major + 1));
    let said = lab::cardd_refuses(&folder.0, &[]);
    assert!(said.contains(&format!("card speaks ABI {}, this host speaks ABI {major}", major + 1)), "{said}");
}

/// The whole chain: card, owner, daemon, receiver. The daemon stands still for a while, and nothing is lost; it is killed, and the next one
/// takes the card again and goes on.
#[test]
fn writd_works_over_cardd_and_may_stop_and_die() {
    let site = Site::new();
    let _card = lab::card(&site.folder);
    let _cardd = lab::cardd(&site.folder, &[]);
    site.write_config(|config| {
        let ours = "backend = \"cardd\"\ncardd = \"cardd.sock\"";
        config.replace("backend = \"model\"\nwire_socket = \"run/wire.sock\"", ours)
    });
    let [hi2, hi3] = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
    let daemon = site.start();
    site.add_destination("agency", "hi", [&hi2, &hi3]);
    let content = ["--kind", "title3", "--scope", "content", "--deliver", "hi", "--target", "ipv4=192.0.2.1"];
    site.done(&activation("L", "agency", &content));
    let mut wire = Client::connect(&site.folder.join("wire.sock")).expect("served");
    play(&mut wire, 20);
    site.wait("not delivered", |status| status["tasks"][0]["interfaces"][1]["delivered"]["packets"] == 20);

    let pid = Pid::from_raw(daemon.id().cast_signed()).expect("own child");
    kill_process(pid, Signal::STOP).expect("own child");
    play(&mut wire, 300);
    kill_process(pid, Signal::CONT).expect("own child");
    let status =
        site.wait("not delivered", |status| status["tasks"][0]["interfaces"][1]["delivered"]["packets"] == 320);
    assert_eq!(status["tasks"][0]["interfaces"][1]["dropped"], serde_json::json!({}));

    let twin = site.writd(&["--config", "writd.toml"]);
    assert!(String::from_utf8_lossy(&twin.stderr).contains("another writd is running"), "two daemons on one state");
    daemon.kill();
    let _daemon = site.start();
    play(&mut wire, 30);
    site.wait("not delivered", |status| status["tasks"][0]["interfaces"][1]["delivered"]["packets"] == 350);
}

/// A site with the card in a process of its own, its owner in another one, and receivers.
struct Chain {
    site: Site,
    card: lab::Process,
    cardd: lab::Process,
    receivers: [Peer; 2],
}

impl Chain {
    fn new() -> Self {
        Self::with_ring(65536)
    }

    fn with_ring(lines: u32) -> Self {
        let site = Site::new();
        let (card, cardd) = (lab::card(&site.folder), lab::cardd(&site.folder, &[]));
        site.write_config(|config| {
            let ours = format!("backend = \"cardd\"\ncardd = \"cardd.sock\"\nrecord_ring_lines = {lines}");
            config.replace("backend = \"model\"\nwire_socket = \"run/wire.sock\"", &ours)
        });
        let receivers = [(); 2].map(|()| Peer::new(Language::Handover, Some(&site.pki())));
        Self { site, card, cardd, receivers }
    }

    fn wire(&self) -> Client {
        Client::connect(&self.site.folder.join("wire.sock")).expect("served")
    }

    fn activate(&self, liid: &str, target: Ipv4Addr, end: &str) {
        let target = format!("ipv4={target}");
        let order = ["--kind", "title3", "--scope", "content", "--deliver", "hi", "--end", end, "--target", &target];
        self.site.done(&activation(liid, "agency", &order));
    }

    /// Waits until a task's content was delivered.
    fn delivered(&self, task: usize, packets: u64) -> serde_json::Value {
        self.site.wait("not delivered", |status| content_of(status, task)["delivered"]["packets"] == packets)
    }

    /// Every packet of a task came once, in its order, with a number of its own; repetitions of one number are alike.
    fn check_content(&self, liid: &str, packets: &[Vec<u8>]) {
        let mut found = std::collections::BTreeMap::new();
        for pdu in self.receivers[1].pdus() {
            let decoded = pspdu::decode(&pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole");
            let is_content = matches!(decoded.pdu.payload, pspdu::Payload::Cc(_));
            if is_content && decoded.pdu.header.liid().expect("an LIID").text() == liid {
                let first = found.entry(decoded.pdu.header.sequence).or_insert_with(|| pdu.clone());
                assert_eq!(*first, pdu, "a repetition differs");
            }
        }
        assert!(found.keys().copied().eq(0..packets.len() as u32), "{liid}: {:?}", found.keys());
        for (number, packet) in (0..).zip(packets) {
            assert!(found[&number].windows(packet.len()).any(|part| part == packet), "{liid}: packet {number}");
        }
    }

    fn events(&self, name: &str) -> Vec<serde_json::Value> {
        let shown = self.site.done(&["audit", "show"]);
        let records = shown["records"].as_array().expect("list").iter();
        records.filter(|record| record["event"] == name).cloned().collect()
    }
}

fn content_of(status: &serde_json::Value, task: usize) -> &serde_json::Value {
    &status["tasks"][task]["interfaces"][1]
}

fn dropped_of(counts: &serde_json::Value) -> u64 {
    counts["dropped"].as_object().expect("a map").values().filter_map(serde_json::Value::as_u64).sum()
}

fn packets(target: Ipv4Addr, numbers: std::ops::Range<u16>) -> Vec<Vec<u8>> {
    numbers.map(|number| packet4(target, OTHER, (4000, number), &[7; 300])).collect()
}

/// Plays packets so far apart.
fn play_packets(wire: &mut Client, packets: &[Vec<u8>], gap_ns: u64) {
    let start = wire.card_time_ns().expect("time") + 1_000_000;
    let frame_of =
        |(number, packet): (u64, &Vec<u8>)| PlayFrame::new(PortSide::A, start + gap_ns * number, frame(packet));
    let played = wire.play((0..).zip(packets).map(frame_of), |_| {}).expect("played");
    assert_eq!((played.frames, played.lost), (packets.len() as u64, 0), "the wire goes on whatever happens");
}

#[test]
fn a_writd_that_was_killed_goes_on_where_it_was() {
    const SHORT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
    let chain = Chain::new();
    let daemon = chain.site.start();
    chain.site.add_destination("agency", "hi", [&chain.receivers[0], &chain.receivers[1]]);
    chain.activate("LONG", TARGET, "+1d");
    chain.activate("SHORT", SHORT, "+8s");
    let mut wire = chain.wire();
    let (long, short) = (packets(TARGET, 0..5000), packets(SHORT, 0..40));
    play_packets(&mut wire, &short[..20], 20_000);
    let status = chain.delivered(1, 20);
    let end_ns = status["tasks"][1]["effective_end_ns"].as_u64().expect("a time");
    assert_eq!(status["tasks"][1]["state"], "active", "this machine is too slow for this test");

    // Traffic goes on for half a second of the card's; killed in the middle of it.
    std::thread::scope(|scope| {
        let traffic = scope.spawn(|| play_packets(&mut wire, &long[..4000], 125_000));
        chain.site.wait("nothing comes", |status| status["card"]["records_consumed"].as_u64() > Some(500));
        daemon.kill();
        traffic.join().expect("the wire goes on");
    });
    while wire.card_time_ns().expect("time") < end_ns {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nobody there when the order ended: the card knows.
    play_packets(&mut wire, &short[20..], 20_000);
    play_packets(&mut wire, &long[4000..4500], 20_000);

    let daemon = chain.site.start();
    chain.delivered(0, 4500);
    play_packets(&mut wire, &long[4500..], 20_000);
    let status = chain.delivered(0, 5000);
    assert_eq!(content_of(&status, 0)["selected"]["packets"], 5000);
    assert_eq!(content_of(&status, 0)["dropped"], serde_json::json!({}));
    let status = chain.site.wait("not ended", |status| status["tasks"][1]["state"] == "ended");
    assert_eq!(content_of(&status, 1)["delivered"]["packets"], 20, "stays dead");
    assert_eq!(status["alarms"].as_array().map(Vec::len), Some(0), "{status}");
    chain.check_content("LONG", &long);
    chain.check_content("SHORT", &short[..20]);

    let adopted = chain.events("card-adopted");
    let fields = &adopted.first().expect("recorded")["fields"];
    assert_eq!((adopted.len(), &fields["rows_different"], &fields["tasks"]), (1, &0.into(), &2.into()), "{fields}");
    assert_eq!(chain.events("card-up").len(), 1, "brought up once, by the first");
    assert_eq!(chain.events("time-set").len(), 1);
    // A stop in order is no different: so are upgrades.
    assert_eq!(daemon.terminate(), Some(0));
    let more = packets(TARGET, 5000..5100);
    play_packets(&mut wire, &more, 20_000);
    let _daemon = chain.site.start();
    chain.delivered(0, 5100);
    chain.check_content("LONG", &[long, more].concat());
    assert_eq!((chain.events("card-adopted").len(), chain.events("card-up").len()), (2, 1));
    assert_eq!(chain.site.done(&["audit", "verify"])["verified"], true);
}

/// The card drops what does not fit while daemons die one after the other, before, while and after they tell of it: every packet is counted once, for
/// both tasks that it was selected for, and what is said to be delivered was.
#[test]
fn what_the_card_dropped_is_counted_once_whoever_was_killed() {
    const BURST: u16 = 1500;
    const KILLS: u16 = 10;
    let chain = Chain::with_ring(256);
    let mut daemon = chain.site.start();
    chain.site.add_destination("agency", "hi", [&chain.receivers[0], &chain.receivers[1]]);
    chain.activate("FIRST", TARGET, "+1d");
    chain.activate("SECOND", TARGET, "+1d");
    chain.site.wait_idle();
    let (mut wire, mut told) = (chain.wire(), 0);
    for kill in 0..KILLS {
        let burst = packets(TARGET, 0..BURST);
        play_packets(&mut wire, &burst, 150);
        // The counters are read some time after a gap. Every other daemon lives to tell of it, the others may be anywhere on the way there.
        if kill % 2 == 0 {
            chain.site.wait("nothing is told", |status| dropped_of(content_of(status, 0)) > told);
        } else {
            std::thread::sleep(Duration::from_millis(40 + 15 * u64::from(kill)));
        }
        told = dropped_of(content_of(&chain.site.done(&["status"]), 0));
        daemon.kill();
        daemon = chain.site.start();
    }
    let status = chain.site.wait_idle();
    let played = u64::from(BURST * KILLS);
    let mut of_card = Vec::new();
    for (task, liid) in ["FIRST", "SECOND"].into_iter().enumerate() {
        let counts = content_of(&status, task);
        let number = |name: &str| counts[name]["packets"].as_u64().expect("a number");
        let dropped = dropped_of(counts);
        assert!(dropped > 0, "the ring was big enough: {counts}");
        assert_eq!((number("selected"), number("delivered") + dropped), (played, played), "{liid}: {counts}");
        let received: std::collections::BTreeSet<u32> = chain.receivers[1]
            .pdus()
            .iter()
            .map(|pdu| pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole").pdu.header)
            .filter(|header| header.liid().expect("an LIID").text() == liid)
            .map(|header| header.sequence)
            .collect();
        assert_eq!(received.len() as u64, number("delivered"), "{liid}: {counts}");
        of_card.push((received, dropped));
    }
    assert_eq!(of_card[0].1, of_card[1].1, "both were selected alike");
    // The numbers of what was lost are used up, and no others.
    play_packets(&mut wire, &packets(TARGET, 0..1), 150);
    chain.site.wait_idle();
    chain.site.done(&["audit", "verify"]);
    let last = |liid: &str| {
        let pdus = chain.receivers[1].pdus();
        let headers =
            pdus.iter().map(|pdu| pspdu::decode(pdu, &pspdu::Limits::default()).expect("a PS-PDU").expect("whole"));
        let own = headers.map(|decoded| decoded.pdu.header).filter(|header| header.liid().expect("one").text() == liid);
        own.map(|header| header.sequence).max()
    };
    assert_eq!([last("FIRST"), last("SECOND")], [Some(played as u32); 2]);
    drop(daemon);
}

/// What the card holds is compared with what was ordered: nothing that somebody did to it meanwhile lasts.
#[test]
fn a_card_that_was_changed_meanwhile_is_put_right() {
    const STRANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);
    let chain = Chain::new();
    let daemon = chain.site.start();
    chain.site.add_destination("agency", "hi", [&chain.receivers[0], &chain.receivers[1]]);
    chain.activate("L", TARGET, "+1d");
    let mut wire = chain.wire();
    let ours = packets(TARGET, 0..30);
    play_packets(&mut wire, &ours[..10], 20_000);
    chain.delivered(0, 10);
    daemon.kill();

    let card = take(&chain.site.folder);
    let sizes = RingSizes::uniform(65536, 1024);
    let memory = RingMemory::allocate(&card.dma(), &sizes).expect("as the daemon's");
    let how = Adopt { lookup: LookupSettings::default(), timeout: TIMEOUT };
    let adopted = Card::adopt(card.bar(), memory, card.irqs().expect("descriptors"), &how).expect("as it was left");
    let mut commands = adopted.parts.commands;
    let wanted = key::address_key(STRANGER.into());
    let place = hash::rows(&wanted, Table::Address.rows_per_way())[3];
    let match_index = MatchIndex::new(900).expect("in range");
    let mut foreign =
        Row { key: [0; key::KEY_BYTES_MAX], match_index, scope: Scope::Content, not_after: NOT_AFTER_NEVER, ring: 0 };
    foreign.key[..wanted.len()].copy_from_slice(&wanted);
    commands.execute(&[Command::write_row(0, Table::Address, 3, place, &foreign)], TIMEOUT).expect("done");
    let ours_at = hash::rows(&key::address_key(TARGET.into()), Table::Address.rows_per_way());
    let clears: Vec<Command> =
        (0..4).map(|way| Command::clear_row(0, Table::Address, way, ours_at[usize::from(way)])).collect();
    commands.execute(&clears, TIMEOUT).expect("done");
    drop((commands, adopted.parts.card, adopted.parts.rings, card));
    play_packets(&mut wire, &packets(STRANGER, 0..10), 20_000);

    let _daemon = chain.site.start();
    let status = chain.site.wait_idle();
    let alarm = status["alarms"][0].as_str().expect("an alarm");
    assert!(alarm.contains("held 2 rows that differed"), "{alarm}");
    let reasons =
        chain.events("card-difference").iter().map(|event| event["fields"]["reason"].to_string()).collect::<String>();
    assert!(reasons.contains("a row that no task asks for") && reasons.contains("the row is missing"), "{reasons}");
    play_packets(&mut wire, &packets(STRANGER, 0..10), 20_000);
    play_packets(&mut wire, &ours[10..], 20_000);
    chain.delivered(0, 30);
    chain.site.wait_idle();
    chain.check_content("L", &ours);
    assert_eq!(chain.receivers[1].pdus().len(), 30, "nothing of the stranger");
}

/// The owner of the card dies: a gap, which is measured, recorded and told, and no longer than it takes to start it again. The daemon may be started
/// again too.
#[test]
fn without_its_owner_nothing_is_copied_and_that_is_told() {
    let chain = Chain::new();
    let daemon = chain.site.start();
    owner_dies(chain, daemon, |chain, daemon| {
        assert_eq!(daemon.terminate(), Some(0));
        chain.cardd = lab::cardd(&chain.site.folder, &[]);
        chain.site.start()
    });
}

/// Nobody has to look after the daemon: it takes the card by itself as soon as there is an owner.
#[test]
fn the_daemon_finds_back_to_a_card_whose_owner_is_back() {
    let chain = Chain::new();
    let daemon = chain.site.start();
    let id = daemon.id();
    owner_dies(chain, daemon, |chain, daemon| {
        chain.cardd = lab::cardd(&chain.site.folder, &[]);
        let start = Instant::now();
        while chain.site.log().matches("ready").count() < 2 {
            assert!(start.elapsed() < TIMEOUT, "{}", chain.site.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(daemon.id(), id, "the same process");
        daemon
    });
}

fn owner_dies(mut chain: Chain, daemon: Daemon, again: impl FnOnce(&mut Chain, Daemon) -> Daemon) {
    chain.site.add_destination("agency", "hi", [&chain.receivers[0], &chain.receivers[1]]);
    chain.activate("L", TARGET, "+1d");
    let ours = packets(TARGET, 0..60);
    let mut wire = chain.wire();
    play_packets(&mut wire, &ours[..20], 20_000);
    chain.delivered(0, 20);
    chain.cardd.kill();
    chain.site.wait("not noticed", |status| status["alarms"].to_string().contains("the card was given up"));
    await_reset(&mut wire);
    play_packets(&mut wire, &ours[20..40], 20_000);
    let _daemon = again(&mut chain, daemon);
    let status = chain.site.wait_idle();
    let alarm = status["alarms"][0].as_str().expect("an alarm");
    assert!(alarm.contains("nothing was copied for 1 tasks"), "{alarm}");
    play_packets(&mut wire, &ours[40..], 20_000);
    chain.delivered(0, 40);
    chain.check_content("L", &[&ours[..20], &ours[40..]].concat());
    let down = chain.events("card-down").len();
    let losses = chain.events("card-loss");
    let gaps: Vec<&serde_json::Value> =
        losses.iter().map(|event| &event["fields"]).filter(|fields| fields["gap_to_tai_ns"].is_u64()).collect();
    assert_eq!((down, gaps.len(), chain.events("card-adopted").len(), chain.events("card-up").len()), (1, 1, 0, 2));
    let [from, until] = ["gap_from_tai_ns", "gap_to_tai_ns"].map(|name| gaps[0][name].as_u64().expect("a time"));
    assert!(from >= crate::site::EPOCH_NS && from < until, "{from} to {until}");
    assert_eq!(gaps[0]["tasks"], 1);
    drop(chain.card);
}
