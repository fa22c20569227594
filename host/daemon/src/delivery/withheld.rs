//! Keeper of what a revoked task had selected and not sent: sealed, appended to one file a session, for a recorded decision.

use crate::state::keys::{KEY_BYTES, Sealer};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use writ_mediation::{
    session::{Counts, Withheld},
    units::{ContextIndex, SessionKey},
};

/// Bytes in front of the PDU inside the seal: context, sequence, packets.
const HEAD_BYTES: usize = 10;

/// The file of one session. Made when the first PDU is withheld.
///
/// A record is `length u32 | sealed octets`, and in the seal `context u32 | sequence u32 | packets u16 | PDU`, little-endian.
#[derive(Debug)]
pub(crate) struct WithheldFile {
    path: PathBuf,
    place: Vec<u8>,
    sealer: Sealer,
    file: Option<File>,
    /// What is in it, so that nothing is kept twice after a death between keeping and freeing.
    kept: BTreeSet<(ContextIndex, u32)>,
    counts: BTreeMap<ContextIndex, Counts>,
}

impl WithheldFile {
    /// In `folder`, which is private. Reads what is there.
    pub(crate) fn open(folder: &Path, session: SessionKey, key: &[u8; KEY_BYTES]) -> io::Result<Self> {
        let name = format!("{:05}-{}.withheld", session.destination.0, session.interface.name());
        let mut file = Self {
            path: folder.join(&name),
            place: name.into_bytes(),
            sealer: Sealer::new(key),
            file: None,
            kept: BTreeSet::new(),
            counts: BTreeMap::new(),
        };
        file.read()?;
        Ok(file)
    }

    /// What is kept, by numbering.
    pub(crate) fn counts(&self) -> Vec<(ContextIndex, Counts)> {
        self.counts.iter().map(|(context, counts)| (*context, *counts)).collect()
    }

    /// Keeps a PDU; safe after the next [`WithheldFile::sync`]. False: it was kept before.
    pub(crate) fn keep(&mut self, withheld: &Withheld) -> io::Result<bool> {
        if self.kept.contains(&(withheld.context, withheld.sequence)) {
            return Ok(false);
        }
        let mut plain = Vec::with_capacity(HEAD_BYTES + withheld.pdu.len());
        plain.extend_from_slice(&withheld.context.0.to_le_bytes());
        plain.extend_from_slice(&withheld.sequence.to_le_bytes());
        plain.extend_from_slice(&withheld.packets.to_le_bytes());
        plain.extend_from_slice(&withheld.pdu);
        let sealed = self.sealer.seal(&self.place, &plain).map_err(io::Error::other)?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        self.append(&[&length.to_le_bytes()[..], &sealed].concat())?;
        self.count(&plain);
        Ok(true)
    }

    /// Makes everything kept so far survive a power cut.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?);
            if let Some(folder) = self.path.parent() {
                crate::process::sync_folder(folder)?;
            }
        }
        let Some(file) = &mut self.file else { return Err(io::Error::other("no file")) };
        let good = file.metadata()?.len();
        let written = file.write_all(record);
        if written.is_err() {
            file.set_len(good)?;
        }
        written
    }

    /// Reads the file; a torn last record, which nobody relied on, is cut off.
    fn read(&mut self) -> io::Result<()> {
        let bytes = match std::fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let mut rest = bytes.as_slice();
        while let Some((length, more)) = rest.split_first_chunk::<4>() {
            let Some((sealed, more)) = more.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
            let plain = self.sealer.open(&self.place, sealed).map_err(io::Error::other)?;
            self.count(&plain);
            rest = more;
        }
        if !rest.is_empty() {
            let good = bytes.len() - rest.len();
            OpenOptions::new().write(true).open(&self.path)?.set_len(good as u64)?;
        }
        Ok(())
    }

    fn count(&mut self, plain: &[u8]) {
        let Some((head, pdu)) = plain.split_first_chunk::<HEAD_BYTES>() else { return };
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let context = ContextIndex(word(0));
        if self.kept.insert((context, word(4))) {
            let packets = u16::from_le_bytes([head[8], head[9]]).into();
            *self.counts.entry(context).or_default() += Counts { pdus: 1, packets, bytes: pdu.len() as u64 };
        }
    }
}
