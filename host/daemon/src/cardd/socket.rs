//! The socket for `writd`.

use rustix::net::AddressFamily;
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Takes a socket that listens already: a service manager made it, with owner and mode.
pub(crate) fn handed_over(fd: BorrowedFd<'_>) -> Result<UnixListener, String> {
    const WANTED: &str = "standard input is no listening Unix socket: StandardInput=socket in the service unit, \
                          and ListenStream= with a path in its socket unit";
    let is_unix = rustix::net::getsockname(fd).is_ok_and(|address| address.address_family() == AddressFamily::UNIX);
    let is_listening = rustix::net::sockopt::socket_acceptconn(fd) == Ok(true);
    if !is_unix || !is_listening {
        return Err(WANTED.to_owned());
    }
    let fail = |source: io::Error| format!("socket on standard input: {source}");
    let listener = UnixListener::from(fd.try_clone_to_owned().map_err(fail)?);
    listener.set_nonblocking(true).map_err(fail)?;
    Ok(listener)
}

/// Listens at `path`. A socket that nobody listens on any more is replaced; anything else there is left alone.
pub(crate) fn listen(path: &Path, group: Option<u32>) -> Result<UnixListener, String> {
    let fail = |source: io::Error| format!("socket {}: {source}", path.display());
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(format!("socket {}: there is a file of that name that is no socket", path.display()));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(format!("socket {}: another writ-cardd listens there", path.display()));
        }
        Ok(_) => fs::remove_file(path).map_err(fail)?,
    }
    // The umask makes it 0600 from the first moment on.
    let listener = UnixListener::bind(path).map_err(fail)?;
    let mode = if group.is_some() { 0o660 } else { 0o600 };
    chown(path, None, group).map_err(fail)?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    Ok(listener)
}
