//! Which tasks share in a hit.

use crate::{MatchIndex, Share};
use std::sync::Arc;

/// Indices of a page; a change copies the pages that it touches.
const PAGE_INDICES: usize = 256;

type Page = [Option<Arc<[Share]>>; PAGE_INDICES];

/// From [`MatchIndex`] to the shares of tasks, as of one moment. Never changes; a clone is one counted reference, so the thread that
/// consumes a ring holds one and is given the next.
#[derive(Debug, Clone)]
pub struct FanOut {
    pages: Arc<[Arc<Page>]>,
}

impl FanOut {
    pub(crate) fn new(match_indices: u32) -> Self {
        let empty: Arc<Page> = Arc::new([const { None }; PAGE_INDICES]);
        let pages = (match_indices as usize).div_ceil(PAGE_INDICES);
        Self { pages: (0..pages).map(|_| empty.clone()).collect() }
    }

    /// Who shares in hits of `index`, by rising task. `None`: the index is not in use, so a record that has it contradicts the tables.
    /// An empty slice: the index has been in use, but nobody has a share in it any more.
    ///
    /// A task may stand here twice with terms that do not overlap (before and after a change of its order): at most one
    /// share of a task covers a stamp.
    pub fn shares(&self, index: MatchIndex) -> Option<&[Share]> {
        let index = index.value() as usize;
        self.pages.get(index / PAGE_INDICES)?[index % PAGE_INDICES].as_deref()
    }

    /// The shares in hits of `index` that cover a frame's stamp.
    pub fn covering(&self, index: MatchIndex, stamp_ns: u64) -> impl Iterator<Item = &Share> {
        self.shares(index).unwrap_or_default().iter().filter(move |share| share.covers(stamp_ns))
    }

    /// A snapshot with other shares for some indices.
    pub(crate) fn with(&self, changes: impl IntoIterator<Item = (MatchIndex, Option<Vec<Share>>)>) -> Self {
        let mut pages = self.pages.to_vec();
        for (index, shares) in changes {
            let index = index.value() as usize;
            if let Some(page) = pages.get_mut(index / PAGE_INDICES) {
                Arc::make_mut(page)[index % PAGE_INDICES] = shares.map(Into::into);
            }
        }
        Self { pages: pages.into() }
    }
}
