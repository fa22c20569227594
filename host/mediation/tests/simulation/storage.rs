//! A disk that forgets what was not synced, tears writes, fills up, fails, and can kill its user in the middle of a write.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::common::{Random, memory::Killed};
use std::{
    collections::BTreeMap,
    panic,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use writ_mediation::journal::{SegmentId, Storage, StorageError, StorageErrorKind};

#[derive(Debug, Default, Clone)]
struct File {
    /// What programs see.
    current: Vec<u8>,
    /// What survives a power failure.
    durable: Vec<u8>,
    /// A sync failed: nothing more of it becomes durable, whatever later syncs say.
    poisoned: bool,
}

#[derive(Debug)]
struct State {
    files: BTreeMap<SegmentId, File>,
    random: Random,
    /// One operation in so many fails; 0 for none.
    fail_one_in: u64,
    /// One write in so many kills; 0 for none.
    kill_one_in: u64,
    /// The next sync fails.
    fail_sync: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        let (files, random) = (BTreeMap::new(), Random(seed));
        Self(Arc::new(Mutex::new(State { files, random, fail_one_in: 0, kill_one_in: 0, fail_sync: false })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_faults(&self, fail_one_in: u64, kill_one_in: u64) {
        let mut state = self.state();
        (state.fail_one_in, state.kill_one_in) = (fail_one_in, kill_one_in);
    }

    pub(crate) fn fail_next_sync(&self) {
        self.state().fail_sync = true;
    }

    /// Of what was not synced anything may be left: a prefix of what was appended, with a torn last part.
    pub(crate) fn power_failure(&self) {
        let mut state = self.state();
        let State { files, random, .. } = &mut *state;
        for file in files.values_mut() {
            let extra = file.current.len().saturating_sub(file.durable.len()) as u64;
            let kept = if extra == 0 { 0 } else { random.below(extra + 1) as usize };
            let start = file.durable.len();
            let mut after = file.durable.clone();
            after.extend_from_slice(&file.current[start..start + kept]);
            if kept > 0 && random.one_in(2) {
                let at = start + random.below(kept as u64) as usize;
                after[at] ^= 0xff;
            }
            (file.current, file.durable, file.poisoned) = (after.clone(), after, false);
        }
    }
}

fn error(operation: &'static str, segment: SegmentId, kind: StorageErrorKind) -> StorageError {
    StorageError { kind, operation, segment: Some(segment), detail: "simulated".into() }
}

impl State {
    fn fails(&mut self) -> bool {
        self.fail_one_in > 0 && self.random.one_in(self.fail_one_in)
    }

    fn kills(&mut self) -> bool {
        self.kill_one_in > 0 && self.random.one_in(self.kill_one_in)
    }
}

impl Storage for Disk {
    fn list(&mut self) -> Result<Vec<SegmentId>, StorageError> {
        Ok(self.state().files.keys().copied().collect())
    }

    fn create(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        let mut state = self.state();
        if state.fails() {
            return Err(error("create", segment, StorageErrorKind::Full));
        }
        assert!(state.files.insert(segment, File::default()).is_none(), "segments are never made twice");
        Ok(())
    }

    fn write(&mut self, segment: SegmentId, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let mut state = self.state();
        let (fails, kills) = (state.fails(), state.kills());
        let written = if fails || kills { state.random.below(bytes.len() as u64 + 1) as usize } else { bytes.len() };
        let file = state.files.get_mut(&segment).expect("written segments exist");
        let offset = offset as usize;
        if file.current.len() < offset + written {
            file.current.resize(offset + written, 0);
        }
        file.current[offset..offset + written].copy_from_slice(&bytes[..written]);
        drop(state);
        if kills {
            panic::resume_unwind(Box::new(Killed));
        }
        if fails { Err(error("write", segment, StorageErrorKind::Full)) } else { Ok(()) }
    }

    fn sync(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        let mut state = self.state();
        let (fails, kills) = (state.fails() || std::mem::take(&mut state.fail_sync), state.kills());
        let file = state.files.get_mut(&segment).expect("synced segments exist");
        if fails {
            file.poisoned = true;
            return Err(error("sync", segment, StorageErrorKind::Io));
        }
        if !file.poisoned {
            file.durable = file.current.clone();
        }
        drop(state);
        if kills {
            panic::resume_unwind(Box::new(Killed));
        }
        Ok(())
    }

    fn read(&mut self, segment: SegmentId, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let state = self.state();
        let file = state.files.get(&segment).expect("read segments exist");
        let offset = offset as usize;
        match file.current.get(offset..offset + into.len()) {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(error("read", segment, StorageErrorKind::Io)),
        }
    }

    fn bytes(&mut self, segment: SegmentId) -> Result<u64, StorageError> {
        Ok(self.state().files.get(&segment).map_or(0, |file| file.current.len() as u64))
    }

    fn truncate(&mut self, segment: SegmentId, bytes: u64) -> Result<(), StorageError> {
        let mut state = self.state();
        let file = state.files.get_mut(&segment).expect("truncated segments exist");
        file.current.truncate(bytes as usize);
        Ok(())
    }

    fn remove(&mut self, segment: SegmentId) -> Result<(), StorageError> {
        self.state().files.remove(&segment);
        Ok(())
    }
}
