//! Memory that a file keeps when the process dies.

use memmap2::{MmapMut, MmapOptions};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::Arc;

/// A file of fixed size, mapped shared and locked exclusively: what is written into it survives the death of the process at
/// any instruction (the kernel owns the pages), though not that of the machine.
///
/// The file holds intercepted traffic: it is made with mode 0600, and one that others may read is refused.
#[derive(Debug)]
pub struct FileMapping {
    owner: Arc<Owner>,
    created: bool,
}

/// Keeps pages and lock alive for all blocks.
struct Owner {
    base: NonNull<u8>,
    bytes: usize,
    path: PathBuf,
    /// Owns the pages behind `base`; used for synchronising only.
    mapping: MmapMut,
    /// Holds the lock.
    _file: File,
}

// SAFETY: `base` points into pages that `mapping` owns; references to the content are made by `BlockMemory` only, each over a
// range that no other block has, and `mapping` itself is only asked to synchronise.
unsafe impl Send for Owner {}
// SAFETY: as above.
unsafe impl Sync for Owner {}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("path", &self.path).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Why a file could not be mapped.
#[derive(Debug)]
pub enum MappingError {
    /// The operating system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// Another process holds the file.
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// There is a file, but it is not of the size that is configured. Nothing was changed: it may hold accepted data.
    Size {
        /// The file.
        path: PathBuf,
        /// Bytes that it has.
        found_bytes: u64,
        /// Bytes that are configured.
        wanted_bytes: u64,
    },
    /// There is a file that others may read or write, or that is no regular file.
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

impl std::fmt::Display for MappingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { path, doing, source } => write!(f, "{}: {doing}: {source}", path.display()),
            Self::Locked { path } => write!(f, "{} is in use by another process", path.display()),
            Self::Size { path, found_bytes, wanted_bytes } => write!(
                f,
                "{} has {found_bytes} bytes, {wanted_bytes} are configured; it may hold accepted data, so it is left as it is",
                path.display()
            ),
            Self::Exposed { path, mode } => {
                write!(f, "{} has mode {mode:o}; it has to be a regular file of mode 600", path.display())
            }
        }
    }
}

impl std::error::Error for MappingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl FileMapping {
    /// Opens the file, or makes it with `bytes` zero bytes, all of them allocated, so that a full disk shows here and not as a fault
    /// in the middle of a write.
    ///
    /// # Errors
    /// [`MappingError`]; an existing file is not changed by any failure.
    pub fn open(path: &Path, bytes: usize) -> Result<Self, MappingError> {
        let io = |doing| move |source| MappingError::Io { path: path.to_path_buf(), doing, source };
        if bytes == 0 {
            return Err(io("mapping")(io::Error::new(io::ErrorKind::InvalidInput, "zero bytes")));
        }
        let created = make_if_missing(path, bytes).map_err(io("making it"))?;
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io("opening"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(MappingError::Locked { path: path.to_path_buf() }),
            Err(TryLockError::Error(source)) => return Err(io("locking")(source)),
        }
        let metadata = file.metadata().map_err(io("looking at it"))?;
        let mode = metadata.permissions().mode();
        if !metadata.is_file() || mode & 0o077 != 0 {
            return Err(MappingError::Exposed { path: path.to_path_buf(), mode: metadata.mode() & 0o7777 });
        }
        if metadata.len() != bytes as u64 {
            return Err(MappingError::Size {
                path: path.to_path_buf(),
                found_bytes: metadata.len(),
                wanted_bytes: bytes as u64,
            });
        }
        // SAFETY: the file is locked against every process that plays by the rules, private to this user, and never shortened
        // while it is open here, so no page of the mapping can vanish.
        let mut mapping = unsafe { MmapOptions::new().len(bytes).map_mut(&file) }.map_err(io("mapping"))?;
        let base = NonNull::from(&mut mapping[..]).cast();
        let owner = Arc::new(Owner { base, bytes, path: path.to_path_buf(), mapping, _file: file });
        Ok(Self { owner, created })
    }

    /// Whether the file was made just now; otherwise its content is what the last owner left.
    pub fn was_created(&self) -> bool {
        self.created
    }

    /// Bytes of the mapping.
    pub fn bytes(&self) -> usize {
        self.owner.bytes
    }

    /// Splits the mapping into blocks of the given sizes, one behind the other.
    ///
    /// # Panics
    /// If the sizes add up to more than [`FileMapping::bytes`].
    pub fn split(self, sizes_bytes: impl IntoIterator<Item = usize>) -> Vec<BlockMemory> {
        let mut start = 0;
        let mut take = |bytes: usize| {
            assert!(bytes <= self.owner.bytes - start, "blocks do not fit into {}", self.owner.path.display());
            let block = BlockMemory { owner: Arc::clone(&self.owner), start, bytes };
            start += bytes;
            block
        };
        sizes_bytes.into_iter().map(&mut take).collect()
    }

    /// Splits the mapping into blocks of `block_bytes` bytes; what does not fill a block at the end stays unused.
    ///
    /// # Panics
    /// If `block_bytes` is 0.
    pub fn split_blocks(self, block_bytes: usize) -> Vec<BlockMemory> {
        let count = self.owner.bytes / block_bytes;
        self.split(std::iter::repeat_n(block_bytes, count))
    }
}

/// Makes the file whole under another name and then links it, so that whoever finds it finds all of it, however the maker ended.
/// Says whether this call made it.
fn make_if_missing(path: &Path, bytes: usize) -> io::Result<bool> {
    if path.try_exists()? {
        return Ok(false);
    }
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_os_string();
    name.push(format!(".new-{}", std::process::id()));
    let unfinished = path.with_file_name(name);
    // Left by an earlier process of the same number that was killed while filling it.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    let linked = fill(file, bytes).and_then(|()| fs::hard_link(&unfinished, path));
    fs::remove_file(&unfinished)?;
    match linked {
        Ok(()) => Ok(true),
        // Another process was quicker; the lock decides between the two.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Zeros, not a hole: the blocks of the disk are taken now.
fn fill(mut file: File, bytes: usize) -> io::Result<()> {
    let zeros = vec![0; bytes.min(1 << 20)];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(zeros.len());
        file.write_all(&zeros[..now])?;
        left -= now;
    }
    file.sync_all()
}

/// A part of a [`FileMapping`] that has one owner. The mapping and its lock live until the last block is dropped.
pub struct BlockMemory {
    owner: Arc<Owner>,
    start: usize,
    bytes: usize,
}

impl BlockMemory {
    /// Has the kernel write the block to the disk, and waits.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn sync(&self) -> io::Result<()> {
        self.owner.mapping.flush_range(self.start, self.bytes)
    }
}

impl AsRef<[u8]> for BlockMemory {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: inside the mapping (`FileMapping::split` checked), which `owner` keeps alive; no other block has these bytes, and the
        // only mutable access goes through `&mut self`.
        unsafe { std::slice::from_raw_parts(self.owner.base.add(self.start).as_ptr(), self.bytes) }
    }
}

impl AsMut<[u8]> for BlockMemory {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_ref`; `&mut self` makes it the only reference to these bytes.
        unsafe { std::slice::from_raw_parts_mut(self.owner.base.add(self.start).as_ptr(), self.bytes) }
    }
}

impl std::fmt::Debug for BlockMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the content: it is intercepted traffic.
        f.debug_struct("BlockMemory").field("start", &self.start).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn path() -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        std::env::temp_dir().join(format!("writ-mapping-{}-{number}", std::process::id()))
    }

    #[test]
    fn content_survives_its_owner() {
        let path = path();
        let mapping = FileMapping::open(&path, 10_000).expect("made");
        assert!(mapping.was_created());
        let mut blocks = mapping.split([4096, 4096, 1000]);
        assert!(blocks.iter().all(|block| block.as_ref().iter().all(|byte| *byte == 0)));
        for (number, block) in blocks.iter_mut().enumerate() {
            block.as_mut().fill(number as u8 + 1);
        }
        let last = blocks.pop().expect("three blocks");
        drop(blocks);
        assert!(matches!(FileMapping::open(&path, 10_000), Err(MappingError::Locked { .. })), "one block is left");
        last.sync().expect("synchronised");
        drop(last);
        let again = FileMapping::open(&path, 10_000).expect("opened");
        assert!(!again.was_created());
        let blocks = again.split_blocks(4096);
        assert_eq!(blocks.len(), 2);
        assert!(blocks.iter().zip(1..).all(|(block, value)| block.as_ref().iter().all(|byte| *byte == value)));
        fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn blocks_may_be_used_by_many_threads() {
        let path = path();
        let blocks = FileMapping::open(&path, 1 << 20).expect("made").split_blocks(1 << 16);
        let threads: Vec<_> = blocks
            .into_iter()
            .enumerate()
            .map(|(number, mut block)| {
                std::thread::spawn(move || {
                    for _ in 0..50 {
                        block.as_mut().fill(number as u8);
                        assert!(block.as_ref().iter().all(|byte| *byte == number as u8));
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no block was touched by another");
        }
        fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn files_that_do_not_fit_are_refused_and_left_alone() {
        let path = path();
        fs::write(&path, vec![7; 5000]).expect("written");
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        mode(0o640);
        assert!(matches!(FileMapping::open(&path, 5000), Err(MappingError::Exposed { mode: 0o640, .. })));
        mode(0o600);
        let refused = FileMapping::open(&path, 8192);
        assert!(matches!(refused, Err(MappingError::Size { found_bytes: 5000, wanted_bytes: 8192, .. })));
        assert_eq!(fs::read(&path).expect("still there"), vec![7; 5000]);
        assert!(FileMapping::open(&path, 0).is_err());
        assert!(FileMapping::open(Path::new("/nonexistent/arena"), 10).is_err());
        assert!(FileMapping::open(&std::env::temp_dir(), 10).is_err(), "a folder");
        assert_eq!(FileMapping::open(&path, 5000).expect("opened").bytes(), 5000);
        fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn a_new_file_is_private_whole_and_alone() {
        let path = path();
        let mapping = FileMapping::open(&path, 3 << 20).expect("made");
        let metadata = fs::metadata(&path).expect("there");
        assert_eq!((metadata.permissions().mode() & 0o777, metadata.len()), (0o600, 3 << 20));
        assert!(metadata.blocks() * 512 >= 3 << 20, "no hole");
        assert_eq!(metadata.nlink(), 1, "the other name is gone");
        drop(mapping);
        fs::remove_file(&path).expect("removed");
    }
}
