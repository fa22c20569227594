//! Segments of journals as files: one folder a session, one file a segment.

use crate::process;
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use writ_mediation::{
    journal::{SegmentId, Storage, StorageError, StorageErrorKind},
    units::SessionKey,
};

const SUFFIX: &str = ".segment";

/// The folder of one session's journal.
#[derive(Debug)]
pub(crate) struct JournalFolder {
    path: PathBuf,
    open: BTreeMap<SegmentId, File>,
}

impl JournalFolder {
    /// Opens the folder of a session, or makes it.
    pub(crate) fn open(journals: &Path, session: SessionKey) -> Result<Self, process::ProcessError> {
        let path = Self::path_of(journals, session);
        process::private_folder(&path)?;
        Ok(Self { path, open: BTreeMap::new() })
    }

    /// Where the journal of a session is kept.
    pub(crate) fn path_of(journals: &Path, session: SessionKey) -> PathBuf {
        journals.join(format!("{:05}-{}", session.destination.0, session.interface.name()))
    }

    fn file_path(&self, segment: SegmentId) -> PathBuf {
        self.path.join(format!("{:016x}{SUFFIX}", segment.0))
    }

    fn file(&mut self, segment: SegmentId) -> io::Result<&File> {
        let path = self.file_path(segment);
        match self.open.entry(segment) {
            std::collections::btree_map::Entry::Occupied(file) => Ok(file.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => {
                Ok(place.insert(OpenOptions::new().read(true).write(true).open(path)?))
            }
        }
    }

    fn on<T>(
        &mut self,
        segment: SegmentId,
        operation: &'static str,
        act: impl FnOnce(&File) -> io::Result<T>,
    ) -> Result<T, StorageError> {
        let result = self.file(segment).and_then(act);
        result.map_err(|error| failure(operation, Some(segment), &error))
    }
}

fn failure(operation: &'static str, segment: Option<SegmentId>, error: &io::Error) -> StorageError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StorageErrorKind::Full
        }
        _ => StorageErrorKind::Io,
    };
    StorageError { kind, operation, segment, detail: error.to_string() }
}

impl Storage for JournalFolder {
    fn list(&mut self) -> Result<Vec<SegmentId>, StorageError> {
        let fail = |error| failure("list", None, &error);
        let mut segments = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(fail)? {
            let name = entry.map_err(fail)?.file_name();
            // Anything else in the folder is not ours to judge.
            let number = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            let segment = number.and_then(|hex| u64::from_str_radix(hex, 16).ok()).map(SegmentId);
            segments.extend(segment.filter(|&segment| self.file_path(segment).file_name() == Some(&name)));
        }
        Ok(segments)
    }

    fn create(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        let path = self.file_path(segment);
        let make = || {
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
            file.sync_all()?;
            process::sync_folder(&self.path)?;
            Ok(file)
        };
        let file = make().map_err(|error| failure("create", Some(segment), &error))?;
        self.open.insert(segment, file);
        Ok(())
    }

    fn write(&mut self, segment: SegmentId, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        self.on(segment, "write", |file| file.write_all_at(bytes, offset))
    }

    fn sync(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        self.on(segment, "sync", File::sync_data)
    }

    fn read(&mut self, segment: SegmentId, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.on(segment, "read", |file| file.read_exact_at(into, offset))
    }

    fn bytes(&mut self, segment: SegmentId) -> Result<u64, StorageError> {
        self.on(segment, "bytes", |file| Ok(file.metadata()?.len()))
    }

    fn truncate(&mut self, segment: SegmentId, bytes: u64) -> Result<(), StorageError> {
        self.on(segment, "truncate", |file| file.set_len(bytes))
    }

    fn remove(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        self.open.remove(&segment);
        let path = self.file_path(segment);
        let result = std::fs::remove_file(path).and_then(|()| process::sync_folder(&self.path));
        result.map_err(|error| failure("remove", Some(segment), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_mediation::units::{DestinationIndex, Interface};

    #[test]
    fn segments_are_there_again_after_a_restart() {
        let base = std::env::temp_dir().join(format!("writd-journal-{}", std::process::id()));
        let session = SessionKey { destination: DestinationIndex(3), interface: Interface::Hi2 };
        let (a, b) = (SegmentId(1), SegmentId(0x1f));
        let mut folder = JournalFolder::open(&base, session).expect("new folder");
        for segment in [a, b] {
            folder.create(segment).expect("new file");
            folder.write(segment, 2, b"hello").expect("own file");
            folder.sync(segment).expect("own file");
        }
        assert!(folder.create(a).is_err(), "a segment is never made twice");
        drop(folder);

        for stranger in ["+2.segment", "2.segment", "notes.txt", "000000000000001F.segment"] {
            std::fs::write(JournalFolder::path_of(&base, session).join(stranger), "").expect("own folder");
        }
        let mut folder = JournalFolder::open(&base, session).expect("old folder");
        let mut found = folder.list().expect("own folder");
        found.sort();
        assert_eq!(found, [a, b]);
        let mut bytes = [9; 7];
        folder.read(b, 0, &mut bytes).expect("all there");
        assert_eq!(&bytes, b"\0\0hello");
        assert!(folder.read(b, 1, &mut bytes).is_err(), "a short read is an error");
        folder.truncate(b, 3).expect("own file");
        assert_eq!(folder.bytes(b).expect("own file"), 3);
        folder.remove(b).expect("own file");
        assert!(folder.bytes(b).is_err());
        std::fs::remove_dir_all(&base).expect("own folder");
    }
}
