//! The captures beside the repository.

use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};
use std::path::{Path, PathBuf};

/// All of them. Without the folder nothing can be compared: in CI that is a failure.
pub(crate) fn captures() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/captures");
    match std::fs::read_dir(&folder) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.expect("an entry").path());
            let mut captures: Vec<PathBuf> =
                paths.filter(|path| path.extension().is_some_and(|extension| extension == "pcap")).collect();
            captures.sort();
            Some(captures)
        }
        Err(error) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{}: {error}", folder.display());
            eprintln!("SKIPPED: {}: {error}", folder.display());
            None
        }
    }
}

/// Frames of a classic capture, `None` if it is not Ethernet.
pub(crate) fn ethernet_frames(path: &Path) -> Option<Vec<Vec<u8>>> {
    let file = std::fs::File::open(path).expect("readable");
    let mut reader = create_reader(1 << 20, file).expect("a capture");
    let mut frames = Vec::new();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) if header.network != Linktype::ETHERNET => return None,
                    PcapBlockOwned::Legacy(packet) => frames.push(packet.data.to_vec()),
                    _ => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return Some(frames),
            Err(PcapError::Incomplete(_)) => reader.refill().expect("readable"),
            Err(error) => panic!("{}: {error:?}", path.display()),
        }
    }
}
