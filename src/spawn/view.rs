//! Views of their own: mounts that only one process, and what it starts, sees. Linux has them.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_bind, mount_change, unmount};
use rustix::process::{Gid, Uid};
use rustix::thread::{LinkNameSpaceType, UnshareFlags};

use super::lower_open_files;

/// A file that one process, and what it starts, sees in another's place.
#[derive(Clone, Debug)]
pub struct StandIn {
    file: CString,
    place: CString,
}

impl StandIn {
    /// `file` in the place of `place`; both have to be there.
    ///
    /// # Errors
    /// When a path holds a NUL.
    pub fn new(file: &Path, place: &Path) -> io::Result<Self> {
        let text = |path: &Path| CString::new(path.as_os_str().as_bytes());
        Ok(Self { file: text(file)?, place: text(place)? })
    }

    fn put(&self) -> rustix::io::Result<()> {
        mount_bind(self.file.as_c_str(), self.place.as_c_str())
    }
}

/// Makes the process one of the user `uid`, in a session of its own, which alone sees the
/// stand-ins: they are mounts that end with it and what it starts. Only root can do this, and not
/// in every container.
pub fn in_own_view(command: &mut Command, uid: u32, stand_ins: Vec<StandIn>) {
    let before = move || {
        rustix::process::setsid()?;
        lower_open_files()?;
        // SAFETY: between fork and exec there is one thread, and it shares no open files.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?;
        // What is mounted later on the machine is still seen here, but nothing goes back.
        let from_now_on = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        mount_change(c"/", from_now_on)?;
        stand_ins.iter().try_for_each(StandIn::put)?;
        // Last, since only root may mount. `Command::uid` would come first.
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    };
    // SAFETY: system calls only; the paths were made before the fork.
    unsafe {
        command.pre_exec(before);
    }
}

/// Puts stand-ins anew into the view that `view` (a `/proc/PID/ns/mnt`) leads to: a mount is gone
/// once the machine has replaced the file under it.
///
/// # Errors
/// When it is the view of this process itself, or the kernel refuses.
pub fn renew_view(view: &File, stand_ins: &[StandIn]) -> io::Result<()> {
    let own = std::fs::metadata("/proc/self/ns/mnt")?;
    if view.metadata()?.ino() == own.ino() {
        return Err(io::Error::other("the process has no view of its own"));
    }
    let enter_and_put = || {
        // SAFETY: only this thread, which ends here, stops to share its directory and root.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) }?;
        let mounts = Some(LinkNameSpaceType::Mount);
        rustix::thread::move_into_link_name_space(view.as_fd(), mounts)?;
        for one in stand_ins {
            // Fails when it is gone already.
            let _ = unmount(one.place.as_c_str(), UnmountFlags::DETACH);
            one.put()?;
        }
        Ok(())
    };
    std::thread::scope(|scope| scope.spawn(enter_and_put).join())
        .unwrap_or_else(|_| Err(io::Error::other("the thread ended early")))
}
