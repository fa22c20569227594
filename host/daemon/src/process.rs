//! What the process does to itself and to its folders before it touches anything secret.

use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    mm::MlockAllFlags,
    process::{DumpableBehavior, Resource, Rlimit},
};
use std::{
    fmt, io,
    os::{
        fd::OwnedFd,
        unix::fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

/// Why the daemon cannot start here.
#[derive(Debug)]
pub(crate) enum ProcessError {
    /// The system refused something.
    System {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: Option<PathBuf>,
        /// What the system said.
        source: io::Error,
    },
    /// Others can look into a folder that has to be private.
    Open {
        /// The folder or file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The widest mode that is good.
        wanted: u32,
    },
    /// Another writd runs on this state.
    Locked(PathBuf),
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { doing, path: Some(path), source } => write!(f, "{doing} {}: {source}", path.display()),
            Self::System { doing, path: None, source } => write!(f, "{doing}: {source}"),
            Self::Open { path, mode, wanted } => write!(
                f,
                "{} has mode {mode:04o}: others can read it; make it {wanted:04o} (chmod {wanted:o})",
                path.display()
            ),
            Self::Locked(path) => write!(f, "another writd is running on this state: it holds {}", path.display()),
        }
    }
}

impl std::error::Error for ProcessError {}

/// No core dumps, no attaching, new files private. Intercepted data and keys are in this memory.
pub(crate) fn harden() -> Result<(), ProcessError> {
    let fail = |doing| move |errno: rustix::io::Errno| ProcessError::System { doing, path: None, source: errno.into() };
    rustix::process::umask(Mode::from_raw_mode(0o077));
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(fail("forbidding core dumps"))?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none).map_err(fail("limiting core dumps to nothing"))
}

/// Keeps all memory out of swap, where the system lets us. Only pages that are touched are locked.
///
/// A limit on locked memory would turn into refused memory later, at any place, so under a limit nothing is locked, and `false` comes back if
/// there is swap for it to get into.
pub(crate) fn lock_memory() -> Result<bool, ProcessError> {
    let unlimited = rustix::process::getrlimit(Resource::Memlock).current.is_none();
    if !unlimited && !may_lock_memory() {
        // The first line is a heading.
        let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
        return Ok(swaps.lines().count() <= 1);
    }
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let fail = |errno: rustix::io::Errno| ProcessError::System {
        doing: "locking memory against swap",
        path: None,
        source: errno.into(),
    };
    rustix::mm::mlockall(flags).map_err(fail)?;
    Ok(true)
}

/// Whether the process has CAP_IPC_LOCK (capability 14).
fn may_lock_memory() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits >> 14 & 1 == 1)
}

/// Makes a folder that only its owner can enter, or checks that an existing one is so.
pub(crate) fn private_folder(path: &Path) -> Result<(), ProcessError> {
    let fail = |doing| move |source| ProcessError::System { doing, path: Some(path.to_owned()), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fail("making the folder"))?;
    let mode = std::fs::metadata(path).map_err(fail("looking at the folder"))?.mode() & 0o777;
    if mode & 0o077 != 0 { Err(ProcessError::Open { path: path.to_owned(), mode, wanted: 0o700 }) } else { Ok(()) }
}

/// Refuses a secret that others can read.
pub(crate) fn require_private_file(path: &Path) -> Result<(), ProcessError> {
    let fail = |source| ProcessError::System { doing: "looking at", path: Some(path.to_owned()), source };
    let mode = std::fs::metadata(path).map_err(fail)?.mode() & 0o777;
    if mode & 0o077 != 0 { Err(ProcessError::Open { path: path.to_owned(), mode, wanted: 0o600 }) } else { Ok(()) }
}

/// Holds a folder for this process until dropped, or until the process is gone.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: OwnedFd,
}

impl FolderLock {
    /// Takes the lock, or says that somebody else has it.
    pub(crate) fn take(folder: &Path) -> Result<Self, ProcessError> {
        let path = folder.join("lock");
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC;
        let fail = |errno: rustix::io::Errno| ProcessError::System {
            doing: "locking",
            path: Some(path.clone()),
            source: errno.into(),
        };
        let file = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600)).map_err(fail)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(ProcessError::Locked(path)),
            Err(errno) => Err(fail(errno)),
        }
    }
}

/// Has the kernel write a folder's entries to the disk, so that a file made in it survives a power cut.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn folders_are_private_and_have_one_user() {
        let base = std::env::temp_dir().join(format!("writd-process-{}", std::process::id()));
        let folder = base.join("state");
        private_folder(&folder).expect("new folder");
        private_folder(&folder).expect("existing folder");
        let first = FolderLock::take(&folder).expect("free");
        let refused = FolderLock::take(&folder).expect_err("held").to_string();
        assert!(refused.contains("another writd"), "{refused}");
        drop(first);
        FolderLock::take(&folder).expect("free again");

        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("own folder");
        let refused = private_folder(&folder).expect_err("open").to_string();
        assert!(refused.contains("0755") && refused.contains("chmod 700"), "{refused}");
        std::fs::remove_dir_all(&base).expect("own folder");
    }
}
