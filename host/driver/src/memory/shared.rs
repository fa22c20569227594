//! Memory that other processes can map: a file without a name, of a fixed size, in pages of a wanted size.

use rustix::fs::{MemfdFlags, SealFlags};
use std::fs::File;
use std::io;

/// Size of the pages that memory is made of. Large ones save the card address translations, and the host TLB misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageSize {
    /// 4096 bytes; there are always some.
    Small,
    /// 2 MiB. The operator has to set them aside.
    Huge2M,
    /// 1 GiB. The operator has to set them aside, best at boot.
    Huge1G,
}

impl PageSize {
    /// Bytes of a page.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Small => 1 << 12,
            Self::Huge2M => 1 << 21,
            Self::Huge1G => 1 << 30,
        }
    }

    /// The name, as configured.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "4k",
            Self::Huge2M => "2m",
            Self::Huge1G => "1g",
        }
    }

    fn flags(self) -> MemfdFlags {
        match self {
            Self::Small => MemfdFlags::empty(),
            Self::Huge2M => MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB,
            Self::Huge1G => MemfdFlags::HUGETLB | MemfdFlags::HUGE_1GB,
        }
    }

    /// Where the kernel counts its pages of this size.
    fn pool(self) -> String {
        format!("/sys/kernel/mm/hugepages/hugepages-{}kB", self.bytes() >> 10)
    }
}

impl std::str::FromStr for PageSize {
    type Err = UnknownPageSize;

    fn from_str(name: &str) -> Result<Self, UnknownPageSize> {
        let found = [Self::Small, Self::Huge2M, Self::Huge1G].into_iter().find(|size| size.name() == name);
        found.ok_or_else(|| UnknownPageSize(name.to_owned()))
    }
}

/// There are no pages of this size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPageSize(String);

impl std::fmt::Display for UnknownPageSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "page size {:?} does not exist; there are 4k, 2m and 1g", self.0)
    }
}

impl std::error::Error for UnknownPageSize {}

/// Why memory could not be shared.
#[derive(Debug)]
pub enum SharedError {
    /// Zero bytes, or more than 1 TiB. The caller is at fault.
    Size {
        /// Bytes that were asked for.
        bytes: usize,
    },
    /// There are not as many large pages. The machine's configuration is at fault.
    NoHugePages {
        /// Their size.
        pages: PageSize,
        /// How many are wanted.
        wanted: usize,
        /// How many are free; `None`: the kernel has none of this size at all.
        free: Option<usize>,
    },
    /// Others can make the file shorter while it is mapped. Whoever made it is at fault.
    NotSealed,
    /// The operating system refused.
    Io {
        /// What was being done.
        doing: &'static str,
        /// Its answer.
        source: io::Error,
    },
}

impl std::fmt::Display for SharedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Size { bytes } => write!(f, "card memory of {bytes} bytes: 1 byte to 1 TiB are wanted"),
            Self::NoHugePages { pages, wanted, free: Some(free) } => write!(
                f,
                "{wanted} free pages of {} are wanted, there are {free}: write a larger number into {}/nr_hugepages, or choose pages of 4k",
                pages.name(),
                pages.pool()
            ),
            Self::NoHugePages { pages, wanted, free: None } => write!(
                f,
                "{wanted} pages of {} are wanted, and this kernel has none of that size: choose another one, 4k is always there",
                pages.name()
            ),
            Self::NotSealed => write!(f, "shared memory can be made shorter by others: its size has to be sealed"),
            Self::Io { doing, source } => write!(f, "shared memory: {doing}: {source}"),
        }
    }
}

impl std::error::Error for SharedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn io(doing: &'static str) -> impl Fn(rustix::io::Errno) -> SharedError {
    move |errno| SharedError::Io { doing, source: errno.into() }
}

/// What keeps a file from getting shorter under those who map it.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// Makes a file of at least `bytes` bytes, all there, and says how many it has.
pub(super) fn make(bytes: usize, pages: PageSize) -> Result<(File, usize), SharedError> {
    if bytes == 0 || bytes > super::host::BYTES_MAX {
        return Err(SharedError::Size { bytes });
    }
    let bytes = bytes.next_multiple_of(pages.bytes());
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | pages.flags();
    let file = rustix::fs::memfd_create("writ-card", flags).map_err(|errno| why(bytes, pages, errno.into()))?;
    let file = File::from(file);
    file.set_len(bytes as u64).map_err(|source| why(bytes, pages, source))?;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes as u64)
        .map_err(|errno| why(bytes, pages, errno.into()))?;
    rustix::fs::fcntl_add_seals(&file, SEALS).map_err(io("sealing its size"))?;
    Ok((file, bytes))
}

/// Bytes of a file that keeps its size.
pub(super) fn sealed_bytes(file: &File) -> Result<usize, SharedError> {
    let seals = rustix::fs::fcntl_get_seals(file).unwrap_or(SealFlags::empty());
    if !seals.contains(SealFlags::SHRINK) {
        return Err(SharedError::NotSealed);
    }
    let bytes = file.metadata().map_err(|source| SharedError::Io { doing: "looking at it", source })?.len();
    usize::try_from(bytes).ok().filter(|bytes| *bytes > 0).ok_or(SharedError::Size { bytes: 0 })
}

/// A lack of large pages has many names.
pub(super) fn why(bytes: usize, pages: PageSize, source: io::Error) -> SharedError {
    if pages == PageSize::Small {
        return SharedError::Io { doing: "taking it", source };
    }
    let free = std::fs::read_to_string(format!("{}/free_hugepages", pages.pool())).ok();
    let free = free.and_then(|text| text.trim().parse::<usize>().ok());
    let wanted = bytes / pages.bytes();
    match free {
        Some(free) if free >= wanted => SharedError::Io { doing: "taking large pages", source },
        _ => SharedError::NoHugePages { pages, wanted, free },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dma;
    use crate::memory::HostMemory;

    #[test]
    fn both_sides_see_the_same_pages() {
        let here = HostMemory::shared(10_000, PageSize::Small).expect("made");
        assert_eq!(here.len(), 12_288, "whole pages");
        let there = HostMemory::adopt(here.file().expect("shared").try_clone().expect("a descriptor")).expect("mapped");
        assert_eq!(there.len(), 12_288);
        let (mut mine, theirs) = (here.allocate(64).expect("room"), there.allocate(64).expect("room"));
        mine.write_line(63, &[9; 64]);
        assert_eq!(theirs.read_line(63), [9; 64]);
    }

    #[test]
    fn the_size_is_for_ever() {
        let memory = HostMemory::shared(8192, PageSize::Small).expect("made");
        let file = memory.file().expect("shared");
        assert!(file.set_len(4096).is_err() && file.set_len(16_384).is_err());
        let free = rustix::fs::memfd_create("free", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).expect("made");
        let free = File::from(free);
        free.set_len(4096).expect("set");
        assert!(matches!(HostMemory::adopt(free), Err(SharedError::NotSealed)));
        assert!(HostMemory::new(4096).expect("made").file().is_none());
        assert!(matches!(HostMemory::shared(0, PageSize::Small), Err(SharedError::Size { bytes: 0 })));
        assert!(matches!(HostMemory::shared(usize::MAX, PageSize::Small), Err(SharedError::Size { .. })));
    }

    /// More than any machine has set aside. Nothing is taken then, and the message says what to do.
    #[test]
    fn missing_large_pages_are_named() {
        for pages in [PageSize::Huge2M, PageSize::Huge1G] {
            let error = HostMemory::shared(1 << 40, pages).expect_err("no machine has so many");
            let wanted = (1 << 40) / pages.bytes();
            assert!(matches!(error, SharedError::NoHugePages { wanted: said, .. } if said == wanted), "{error}");
            assert!(error.to_string().contains("4k"), "{error}");
        }
    }

    #[test]
    fn sizes_have_names() {
        for size in [PageSize::Small, PageSize::Huge2M, PageSize::Huge1G] {
            assert_eq!(size.name().parse(), Ok(size));
        }
        assert!("16m".parse::<PageSize>().is_err());
    }
}
