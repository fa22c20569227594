//! The card as a process of its own: what a host sees of it over vfio-user, and what becomes of the card when a host dies.

mod common;

use common::address_row;
use common::frames::udp;
use common::remote::CardProcess;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vfio_user::{Client as ForeignClient, IrqInfo, Server, ServerRegion};
use writ_abi::registers::{control, rings};
use writ_abi::time::TimeQuality;
use writ_abi::{MAGIC, PortSide, Scope, pci};
use writ_driver::bus::vfio_user::{VfioUserCard, VfioUserError};
use writ_driver::memory::{HostMemory, PageSize};
use writ_driver::{
    BringUp, Card, CardError, CommandError, Event, Flow, LookupSettings, Parts, RingMemory, RingSizes, Wake,
};
use writ_sim::service::CATCH_UP;
use writ_sim::wire::PlayFrame;

const TARGET: &str = "192.0.2.1";
const OTHER: &str = "198.51.100.9";
const SIZES: RingSizes = RingSizes::uniform(1 << 14, 64);
const TIMEOUT: Duration = Duration::from_secs(20);
const CONFIG: u32 = 7;
const COMMAND: u64 = 4;

fn memory() -> Arc<HostMemory> {
    HostMemory::shared(SIZES.memory_bytes(), PageSize::Small).expect("memory")
}

fn open(socket: &Path) -> VfioUserCard {
    let start = Instant::now();
    loop {
        // Whoever had the card may be just leaving.
        match VfioUserCard::open(socket, memory()) {
            Err(VfioUserError::InUse) if start.elapsed() < TIMEOUT => std::thread::sleep(Duration::from_millis(5)),
            opened => return opened.expect("the card is free"),
        }
    }
}

fn bring_up(function: &VfioUserCard) -> Parts {
    let rings = RingMemory::allocate(&function.dma(), &SIZES).expect("room");
    let how = BringUp {
        now_ns: common::EPOCH_NS,
        quality: TimeQuality::Free,
        lookup: LookupSettings::default(),
        ready_timeout: TIMEOUT,
    };
    Card::bring_up(function.bar(), rings, function.irqs().expect("descriptors"), &how).expect("a good card")
}

/// A client that is not ours, and does not reset what it opens: it sees what the last one left. It may be refused for a moment.
fn foreign(socket: &Path) -> ForeignClient {
    let start = Instant::now();
    loop {
        match ForeignClient::new(socket) {
            Ok(client) => return client,
            Err(error) => assert!(start.elapsed() < TIMEOUT, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn register(client: &mut ForeignClient, offset: u32) -> u32 {
    let mut value = [0; 4];
    client.region_read(0, offset.into(), &mut value).expect("read");
    u32::from_le_bytes(value)
}

fn command_register(client: &mut ForeignClient, value: u16) {
    client.region_write(CONFIG, COMMAND, &value.to_le_bytes()).expect("written");
}

/// Plays frames of the target and of others, and takes what the card copies; interrupts wake the consumer, on a card that follows the host's clock.
#[test]
fn frames_come_out_of_the_ring_of_another_process() {
    let process = CardProcess::start(&[]);
    let function = open(&process.socket);
    let Parts { card, mut commands, rings } = bring_up(&function);
    let mut ring = rings.into_iter().next().expect("ring 0");
    commands.execute(&[address_row(TARGET, 0, 1, Scope::Content)], TIMEOUT).expect("done");
    let (before, start) = (card.now_ns().expect("time"), Instant::now());
    std::thread::sleep(Duration::from_millis(50));
    let passed = Duration::from_nanos(card.now_ns().expect("time") - before);
    // As much as it may be behind the host's clock, or ahead of it.
    assert!(
        passed >= Duration::from_millis(45) && passed <= start.elapsed() + CATCH_UP,
        "{passed:?}: an idle card's time goes on"
    );
    card.arm().expect("armed");
    let mut wire = process.wire();
    let frame =
        |number: u64| udp(if number.is_multiple_of(3) { TARGET } else { OTHER }, OTHER, [1, 2], number as usize % 900);
    let consumer = std::thread::spawn(move || {
        let mut payloads = Vec::new();
        while payloads.len() < 1000 {
            assert_eq!(ring.wait(TIMEOUT), Wake::Signalled, "an interrupt for every index");
            let mut take = |event: Event<'_>| {
                let Event::Packet(packet) = event else { panic!("nothing is lost: {event:?}") };
                payloads.push(packet.payload.to_vec());
                Flow::Taken
            };
            ring.poll(64, &mut take).expect("good records");
        }
        payloads
    });
    let start_ns = wire.card_time_ns().expect("time") + 5_000_000;
    let frames = (0..3000).map(|number| PlayFrame::new(PortSide::A, start_ns + number * 20_000, frame(number)));
    let played = wire.play(frames, |_| {}).expect("played");
    assert_eq!((played.frames, played.lost), (3000, 0));
    let payloads = consumer.join().expect("it ends");
    assert!(payloads.iter().zip((0..3000).step_by(3)).all(|(payload, number)| *payload == frame(number)));
    assert_eq!(wire.statistics().expect("statistics").dma_faults, 0);
}

/// The owner of a card on a bus reaches the registers of what stands between.
#[cfg(feature = "rtl-pcie")]
#[test]
fn the_owner_reaches_the_adapter_to_the_bus() {
    use writ_abi::pci::adapter::{
        COUNTERS, MODERATION_AT, RQ_PATIENCE_AT, RQ_PATIENCE_DEFAULT, STATE_AT, counter_at, state,
    };
    let process = CardProcess::start(&["--card", "tlp"]);
    let card = open(&process.socket);
    let bar = card.bar();
    let found = bar.read32(STATE_AT);
    let wanted = state::LINK_UP | state::BUS_MASTER;
    assert_eq!(found & (wanted | state::RQ_STALLED), wanted, "{found:#x}");
    assert_eq!((bar.read32(MODERATION_AT), bar.read32(RQ_PATIENCE_AT)), (0, RQ_PATIENCE_DEFAULT));
    bar.write32(MODERATION_AT, 98);
    assert_eq!(bar.read32(MODERATION_AT), 98);
    assert!((0..COUNTERS.len() as u32).all(|number| bar.read32(counter_at(number)) < 1000));
    // The interrupt tables are the kernel's.
    assert_eq!(bar.read32(pci::MSIX_TABLE_AT), u32::MAX);
    drop((card, bar));
    assert_eq!(open(&process.socket).bar().read32(MODERATION_AT), 0, "a reset of the function");
}

#[test]
fn a_second_client_is_refused_and_the_next_one_is_not() {
    let process = CardProcess::start(&[]);
    let first = open(&process.socket);
    // The door takes a moment to shut: who comes in it waits and is told then.
    let start = Instant::now();
    let second = VfioUserCard::open(&process.socket, memory());
    assert!(matches!(second, Err(VfioUserError::InUse)), "{second:?}");
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(ForeignClient::new(&process.socket).is_err());
    assert_eq!(first.bar().read32(0), MAGIC, "the first one has noticed nothing");
    drop(first);
    assert_eq!(open(&process.socket).bar().read32(0), MAGIC);
}

/// The host dies while the card is armed: the card stops writing and forgets; the wire does not notice.
#[test]
fn a_host_that_dies_disarms_the_card() {
    let process = CardProcess::start(&[]);
    let mut wire = process.wire();
    let shared = memory();
    {
        let mut host = foreign(&process.socket);
        let bytes = shared.len() as u64;
        let file = shared.file().expect("shared");
        host.dma_map(0, HostMemory::BUS_BASE, bytes, std::os::fd::AsRawFd::as_raw_fd(file)).expect("mapped");
        command_register(&mut host, 6);
        assert_eq!(register(&mut host, 0), MAGIC);
        host.region_write(0, rings::RECORD_LINES_AT.into(), &(1_u32 << 14).to_le_bytes()).expect("written");
        while register(&mut host, control::STATUS_AT) & control::TABLES_READY.mask() == 0 {}
        host.region_write(0, control::CONTROL_AT.into(), &control::ARMED.mask().to_le_bytes()).expect("written");
        assert_eq!(register(&mut host, control::CONTROL_AT), control::ARMED.mask());
        // Not a word of farewell: the process dies, the kernel closes its socket.
        host.shutdown().expect("closed");
    }
    let mut next = foreign(&process.socket);
    let mut command = [0xff; 2];
    next.region_read(CONFIG, COMMAND, &mut command).expect("read");
    assert_eq!(command, [0, 0], "bus master and memory space are off");
    assert_eq!(register(&mut next, 0), u32::MAX, "nobody answers without memory space");
    command_register(&mut next, 2);
    assert_eq!((register(&mut next, 0), register(&mut next, control::CONTROL_AT)), (MAGIC, 0), "disarmed");
    assert_eq!(register(&mut next, rings::RECORD_LINES_AT), 0, "reset");
    let played = wire.play([PlayFrame::new(PortSide::A, 0, vec![1; 60])], |_| {}).expect("played");
    assert_eq!((played.frames, played.lost), (1, 0));
}

#[test]
fn without_bus_master_nothing_is_written() {
    let process = CardProcess::start(&[]);
    let function = open(&process.socket);
    let dma = function.dma();
    let Parts { card: _card, mut commands, rings: _rings } = bring_up(&function);
    let row = address_row(TARGET, 0, 1, Scope::Content);
    commands.execute(&[row], TIMEOUT).expect("with it");
    let mut wire = process.wire();
    assert_eq!(wire.statistics().expect("statistics").dma_faults, 0);
    function.set_bus_master(false).expect("off");
    let before = dma.card();
    let lines =
        || (0..dma.len() as u64).step_by(64).map(|at| before.read_line(HostMemory::BUS_BASE + at).expect("there"));
    let frozen: Vec<_> = lines().collect();
    commands.submit(&[row]).expect("room");
    let waited = commands.wait_all(Duration::from_millis(300), &mut Vec::new());
    assert!(matches!(waited, Err(CommandError::Timeout { outstanding: 1, .. })), "{waited:?}");
    assert!(wire.statistics().expect("statistics").dma_faults > 0, "it has tried, and that was counted");
    // The one line that the driver itself has written since.
    assert_eq!(lines().zip(&frozen).filter(|(now, then)| now != *then).count(), 1);
}

#[test]
fn a_card_whose_process_dies_is_gone() {
    let mut process = CardProcess::start(&[]);
    let function = open(&process.socket);
    let Parts { card, mut commands, rings } = bring_up(&function);
    let mut ring = rings.into_iter().next().expect("ring 0");
    let waiting = std::thread::spawn(move || {
        let start = Instant::now();
        while ring.wait(TIMEOUT) != Wake::Gone {}
        start.elapsed()
    });
    std::thread::sleep(Duration::from_millis(50));
    process.kill();
    assert!(waiting.join().expect("it ends") < TIMEOUT / 2, "not by the timeout");
    assert!(!card.is_present());
    assert!(matches!(card.arm(), Err(CardError::Gone { .. })));
    let executed = commands.execute(&[address_row(TARGET, 0, 1, Scope::Content)], TIMEOUT);
    assert_eq!(executed.map(|_| ()), Err(CommandError::Gone));
    let error = VfioUserCard::open(&process.socket, memory()).expect_err("nobody is there");
    assert!(error.to_string().contains("is its process running"), "{error}");
}

/// Whatever a client sends: it loses its connection, and the next one finds a card that works.
#[test]
fn clients_that_talk_nonsense_are_survived() {
    let process = CardProcess::start(&[]);
    let header = |command: u16, bytes: u32, rest: &[u8]| {
        let mut message = vec![1, 0];
        message.extend(command.to_le_bytes());
        message.extend(bytes.to_le_bytes());
        message.extend([0; 8]);
        message.extend(rest);
        message
    };
    let read = |region: u32, offset: u64, count: u32| {
        header(9, 32, &[&offset.to_le_bytes()[..], &region.to_le_bytes(), &count.to_le_bytes()].concat())
    };
    let cases = [
        b"GET / HTTP/1.1\r\nHost: card\r\n\r\n".to_vec(),
        header(1, 0, &[0; 4]),
        header(1, 24, &[0, 0, 0, 0, b'n', b'o', b'n', b'o']),
        header(1, u32::MAX, &[0; 4]),
        header(2, 48, &[0xff; 32]),
        header(77, 16, &[]),
        header(11, 16, &[]),
        read(0, 0, u32::MAX),
        read(0, u64::MAX, 4),
        read(u32::MAX, 0, 4),
        read(7, 4095, 2),
        read(0, 2, 4),
        header(8, 36, &[0xff; 20]),
        vec![0; 3],
    ];
    for (number, case) in cases.iter().enumerate() {
        let mut stream = UnixStream::connect(&process.socket).expect("it listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("set");
        stream.write_all(case).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        // Whatever it answers.
        let _ = stream.read_to_end(&mut Vec::new());
        drop(stream);
        assert_eq!(open(&process.socket).bar().read32(0), MAGIC, "after case {number}");
    }
}

/// A device that shall not be touched.
struct Other {
    ids: [u8; 64],
}
impl vfio_user::ServerBackend for Other {
    fn region_read(&mut self, _region: u32, offset: u64, data: &mut [u8]) -> Result<(), std::io::Error> {
        data.copy_from_slice(&self.ids[offset as usize..][..data.len()]);
        Ok(())
    }
    fn region_write(&mut self, _: u32, _: u64, _: &[u8]) -> Result<(), std::io::Error> {
        panic!("nothing is written")
    }
    fn dma_map(
        &mut self,
        _: vfio_user::DmaMapFlags,
        _: u64,
        _: u64,
        _: u64,
        _: Option<std::fs::File>,
    ) -> Result<(), std::io::Error> {
        panic!("no memory is given away")
    }
    fn dma_unmap(&mut self, _: vfio_user::DmaUnmapFlags, _: u64, _: u64) -> Result<(), std::io::Error> {
        panic!("none was mapped")
    }
    fn reset(&mut self) -> Result<(), std::io::Error> {
        panic!("nothing is reset")
    }
    fn set_irqs(&mut self, _: u32, _: u32, _: u32, _: u32, _: Vec<std::fs::File>) -> Result<(), std::io::Error> {
        panic!("no interrupt is asked for")
    }
}

/// A device of other numbers, without registers, without vectors: each is told apart before anything is changed.
#[test]
fn other_devices_are_no_writ_cards() {
    let said = |ids: [u16; 3], bar_bytes: u64, vectors: u32| {
        let path = std::env::temp_dir().join(format!("writ-other-{}", std::process::id()));
        let region = |index: u32| {
            let size = if index == 0 { bar_bytes } else { 4096 };
            let region_info =
                vfio_bindings::bindings::vfio::vfio_region_info { index, size, flags: 3, ..Default::default() };
            ServerRegion { region_info, sparse_areas: Vec::new(), mmap_fd: None }
        };
        let irqs = (0..5).map(|index| IrqInfo { index, flags: 1, count: vectors }).collect();
        let server = Server::new(&path, true, irqs, (0..9).map(region).collect()).expect("listens");
        let serving = std::thread::spawn(move || {
            let mut bytes = [0; 64];
            for (at, id) in [0, 2, 0x2e].into_iter().zip(ids) {
                bytes[at..at + 2].copy_from_slice(&u16::to_le_bytes(id));
            }
            server.run(&mut Other { ids: bytes })
        });
        let error = VfioUserCard::open(&path, memory()).expect_err("refused");
        let _ = serving.join().expect("nothing was touched");
        error.to_string()
    };
    let ours = [pci::VENDOR, pci::DEVICE, pci::SUBSYSTEM];
    assert!(said([0x8086, 0x1572, 0], 0x4000, 8).contains("8086:1572"));
    assert!(said([pci::VENDOR, pci::DEVICE, 7], 0x4000, 8).contains("no Writ card"));
    assert!(said(ours, 0x800, 8).contains("size of BAR 0 is 2048"));
    assert!(said(ours, 0x4000, 4).contains("vectors is 4"));
    let private = HostMemory::new(4096).expect("memory");
    let unshared = VfioUserCard::open(Path::new("/nonexistent"), private);
    assert!(matches!(unshared, Err(VfioUserError::MemoryNotShared)));
}

/// The capture's frames come again and again, at the rate that was asked for, without anybody plugging in.
#[test]
fn a_capture_is_played() {
    let folder = std::env::temp_dir().join(format!("writ-capture-{}", std::process::id()));
    let mut text = Vec::new();
    for word in [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 65535, 1] {
        text.extend(word.to_le_bytes());
    }
    let frames = [udp(TARGET, OTHER, [1, 2], 100), udp(OTHER, OTHER, [1, 2], 100)];
    for frame in &frames {
        for word in [0, 0, frame.len() as u32, frame.len() as u32] {
            text.extend(word.to_le_bytes());
        }
        text.extend(frame);
    }
    std::fs::write(&folder, text).expect("written");
    let process = CardProcess::start(&[
        "--capture",
        folder.to_str().expect("text"),
        "--frames-per-s",
        "2000",
        "--pace",
        "events",
    ]);
    let function = open(&process.socket);
    let Parts { card, mut commands, rings } = bring_up(&function);
    let mut ring = rings.into_iter().next().expect("ring 0");
    commands.execute(&[address_row(TARGET, 0, 1, Scope::Content)], TIMEOUT).expect("done");
    card.arm().expect("armed");
    let (start, mut stamps) = (Instant::now(), Vec::new());
    while stamps.len() < 500 {
        assert!(start.elapsed() < TIMEOUT);
        ring.wait(TIMEOUT);
        let mut take = |event: Event<'_>| {
            let Event::Packet(packet) = event else { panic!("nothing is lost: {event:?}") };
            assert_eq!((packet.payload, packet.port_side()), (&frames[0][..], PortSide::A));
            stamps.push(packet.header.stamp_ns.get());
            Flow::Taken
        };
        ring.poll(64, &mut take).expect("good records");
    }
    // A thousand of the target's a second.
    let mean_ns = (stamps[499] - stamps[0]) / 499;
    assert!((990_000..1_010_000).contains(&mean_ns), "{mean_ns}");
    std::fs::remove_file(&folder).expect("removed");
}

/// Without a capture that can be played, no card is started.
#[test]
fn bad_options_are_refused_before_anything_is_made() {
    let socket = std::env::temp_dir().join(format!("writ-unmade-{}", std::process::id()));
    let serve = |options: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_writ-sim"));
        let output = command.args(["serve", "--socket"]).arg(&socket).args(options).output().expect("it runs");
        assert!(!output.status.success() && !socket.exists(), "{options:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(serve(&["--capture", "/nonexistent.pcap"]).contains("/nonexistent.pcap: No such file"));
    assert!(serve(&["--capture", env!("CARGO_BIN_EXE_writ-sim")]).contains("no pcap"));
    #[cfg(not(feature = "rtl"))]
    {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_writ-sim"));
        let output = command.args(["serve", "--card", "rtl", "--socket"]).arg(&socket).output().expect("it runs");
        assert!(String::from_utf8_lossy(&output.stderr).contains("without that card (cargo feature rtl)"));
        let _ = std::fs::remove_file(&socket);
    }
    std::fs::write(&socket, "precious").expect("written");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_writ-sim"));
    let output = command.args(["serve", "--socket"]).arg(&socket).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no socket"));
    assert_eq!(std::fs::read(&socket).expect("still there"), b"precious");
    std::fs::remove_file(&socket).expect("removed");
}
