//! The audit log on the disk: appended to, synced before anybody acts on it, never rewritten.
//!
//! A reserve file is given up when the disk is full, so that disarming can still be written down. While it is given up, or
//! records wait for the disk, [`AuditFile::is_sound`] is false and nothing new may be armed.

use crate::process;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Bytes kept for the day when the disk is full: some thousand records.
const RESERVE_BYTES: usize = 1 << 20;
/// Most bytes of records that wait in memory for a disk that takes nothing at all.
const PENDING_BYTES_MAX: usize = 4 << 20;

/// The file, and what has not reached it.
#[derive(Debug)]
pub(crate) struct AuditFile {
    file: File,
    path: PathBuf,
    reserve: PathBuf,
    /// Bytes of whole records that are on the disk.
    good_bytes: u64,
    pending: Vec<u8>,
    has_reserve: bool,
    /// A record was given up because [`PENDING_BYTES_MAX`] were waiting.
    lost_records: bool,
}

impl AuditFile {
    /// Opens the log, or makes it. Returns its whole text too, to check and resume the chain. A torn last line, from a death in
    /// the middle of a write, is cut off: nobody acted on it.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<u8>, u64)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut text = std::fs::read(path)?;
        let good = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let torn = (text.len() - good) as u64;
        if torn > 0 {
            file.set_len(good as u64)?;
            file.sync_all()?;
            text.truncate(good);
        }
        if let Some(folder) = path.parent() {
            process::sync_folder(folder)?;
        }
        let mut log = Self {
            file,
            path: path.to_owned(),
            reserve: path.with_extension("reserve"),
            good_bytes: good as u64,
            pending: Vec::new(),
            has_reserve: false,
            lost_records: false,
        };
        log.has_reserve = log.take_reserve().is_ok();
        Ok((log, text, torn))
    }

    /// Whether everything is on the disk and the reserve is there.
    pub(crate) const fn is_sound(&self) -> bool {
        self.pending.is_empty() && self.has_reserve && !self.lost_records
    }

    /// Path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends records (whole lines) and syncs. When it returns `Ok`, they survive a power cut. After an error they wait in memory and are
    /// written before anything else.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.pending.len() + lines.len() > PENDING_BYTES_MAX {
            self.lost_records = true;
            return Err(io::Error::other("too many records wait for the disk; the log has a gap from here on"));
        }
        self.pending.extend_from_slice(lines);
        self.flush()
    }

    /// Tries again to write what waits, and to get the reserve back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            match self.write_pending() {
                Err(error) if is_full(&error) && self.has_reserve => {
                    self.has_reserve = false;
                    std::fs::remove_file(&self.reserve)?;
                    self.write_pending()?;
                }
                other => other?,
            }
        } else if !self.has_reserve {
            self.has_reserve = self.take_reserve().is_ok();
        }
        Ok(())
    }

    fn write_pending(&mut self) -> io::Result<()> {
        let written = self.file.write_all_at(&self.pending, self.good_bytes).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Whatever part of it is there must not stay as a torn line in the middle of the log.
            self.file.set_len(self.good_bytes)?;
            return written;
        }
        self.good_bytes += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    fn take_reserve(&self) -> io::Result<()> {
        if std::fs::metadata(&self.reserve).is_ok_and(|found| found.len() == RESERVE_BYTES as u64) {
            return Ok(());
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.reserve)?;
        let made = file.write_all(&vec![0; RESERVE_BYTES]).and_then(|()| file.sync_all());
        if made.is_err() {
            std::fs::remove_file(&self.reserve)?;
        }
        made
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_survive_and_torn_ones_do_not() {
        let folder = std::env::temp_dir().join(format!("writd-audit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let path = folder.join("audit.log");
        let (mut log, text, torn) = AuditFile::open(&path).expect("new file");
        assert!(text.is_empty() && torn == 0 && log.is_sound());
        log.append(b"one\n").expect("room");
        log.append(b"two\nthree\n").expect("room");
        drop(log);
        OpenOptions::new().append(true).open(&path).and_then(|mut f| f.write_all(b"torn")).expect("own file");

        let (mut log, text, torn) = AuditFile::open(&path).expect("old file");
        assert_eq!((text.as_slice(), torn), (&b"one\ntwo\nthree\n"[..], 4));
        log.append(b"four\n").expect("room");
        assert_eq!(std::fs::read(&path).expect("own file"), b"one\ntwo\nthree\nfour\n");
        std::fs::remove_dir_all(&folder).expect("own folder");
    }

    #[test]
    fn a_disk_that_takes_nothing_makes_it_unsound_until_it_does() {
        let folder = std::env::temp_dir().join(format!("writd-audit-ro-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("temporary folder");
        let path = folder.join("audit.log");
        let (mut log, ..) = AuditFile::open(&path).expect("new file");
        let writable = std::mem::replace(&mut log.file, File::open(&path).expect("own file"));
        assert!(log.append(b"one\n").is_err());
        assert!(!log.is_sound());
        log.file = writable;
        log.append(b"two\n").expect("room");
        assert!(log.is_sound());
        assert_eq!(std::fs::read(&path).expect("own file"), b"one\ntwo\n");
        std::fs::remove_dir_all(&folder).expect("own folder");
    }
}
