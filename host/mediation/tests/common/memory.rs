//! Arena memory that outlives its owner, as a file mapping does, and that can kill its owner at any store.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Mutex},
};
use writ_mediation::arena::BLOCK_BYTES;

#[derive(Debug, Default)]
struct Home {
    blocks: Vec<Option<Box<[u8]>>>,
    /// Stores until the owner is killed.
    fuse: Option<u64>,
    stores: u64,
}

/// All blocks of an arena. Blocks that are out come back when they are dropped, with what was stored in them.
#[derive(Debug, Clone)]
pub(crate) struct Memory(Arc<Mutex<Home>>);

/// One block. Every access for writing is a chance to be killed: mediation takes one for each of its stores.
#[derive(Debug)]
pub(crate) struct Block {
    index: usize,
    bytes: Option<Box<[u8]>>,
    home: Memory,
}

/// Payload of the unwinding that stands for `kill -9`.
#[derive(Debug)]
pub(crate) struct Killed;

impl Memory {
    pub(crate) fn new(blocks: usize) -> Self {
        let blocks = (0..blocks).map(|_| Some(vec![0; BLOCK_BYTES].into_boxed_slice())).collect();
        Self(Arc::new(Mutex::new(Home { blocks, ..Home::default() })))
    }

    fn home(&self) -> std::sync::MutexGuard<'_, Home> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// All blocks. Panics if one is still out: then something leaked.
    pub(crate) fn take(&self) -> Vec<Block> {
        let mut home = self.home();
        let take = |(index, bytes): (usize, &mut Option<Box<[u8]>>)| {
            let bytes = bytes.take().unwrap_or_else(|| panic!("block {index} never came back"));
            Block { index, bytes: Some(bytes), home: self.clone() }
        };
        home.blocks.iter_mut().enumerate().map(take).collect()
    }

    /// Kills the owner at the `stores`-th store from now on.
    pub(crate) fn set_fuse(&self, stores: Option<u64>) {
        self.home().fuse = stores;
    }

    pub(crate) fn stores(&self) -> u64 {
        self.home().stores
    }

    /// Everything is gone, as after a power failure.
    pub(crate) fn wipe(&self) {
        for block in self.home().blocks.iter_mut().flatten() {
            block.fill(0);
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let bytes = self.bytes.take();
        self.home.home().blocks[self.index] = bytes;
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_deref().expect("only drop takes it")
    }
}

impl AsMut<[u8]> for Block {
    fn as_mut(&mut self) -> &mut [u8] {
        let killed = {
            let mut home = self.home.home();
            home.stores += 1;
            match &mut home.fuse {
                Some(0) => {
                    home.fuse = None;
                    true
                }
                Some(left) => {
                    *left -= 1;
                    false
                }
                None => false,
            }
        };
        if killed {
            panic::resume_unwind(Box::new(Killed));
        }
        self.bytes.as_deref_mut().expect("only drop takes it")
    }
}

/// Runs `work` until it is done or killed. Other panics go on.
pub(crate) fn until_killed<T>(work: impl FnOnce() -> T) -> Result<T, Killed> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match payload.downcast::<Killed>() {
        Ok(killed) => *killed,
        Err(other) => panic::resume_unwind(other),
    })
}
