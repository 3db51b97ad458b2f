//! What stays resident. The allocator: large blocks go back to the system at once, small ones share a
//! few arenas; without this, one password hash of 19 MiB stays with the process for good. And the
//! program: what only its start needed is let go.

use std::ops::Range;
use std::time::Duration;

/// From this size on a block has a mapping of its own.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM: i32 = 1 << 20;
/// Free memory at the end of an arena that is not given back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: i32 = 1 << 20;
/// Arenas: by default there are eight for each processor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS: i32 = 2;

/// Tells the allocator, once, at the start of the program.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator's settings have no safe wrapper")]
pub fn settle() {
    // SAFETY: glibc's `mallopt` takes two integers and may be called at any time; no other thread
    // runs yet, which is what its manual asks for.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        libc::mallopt(libc::M_ARENA_MAX, ARENAS);
    }
}

/// Other allocators give back what is free.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn settle() {}

/// The start is over by then: who was connected before has come back.
const STARTED: Duration = Duration::from_secs(3);

/// Lets go of what of the program only the start needed: for each page that is touched, the kernel
/// maps the sixteen around it, and the loader has read a megabyte of addresses to put right. What is
/// needed again comes back from the page cache. To be spawned at the start; commands that end sooner
/// never come to it.
pub async fn let_go_of_start() {
    tokio::time::sleep(STARTED).await;
    let (Ok(maps), Ok(program)) =
        (std::fs::read_to_string("/proc/self/maps"), std::env::current_exe())
    else {
        // No such thing on this system.
        return;
    };
    for part in never_written(&maps, &program.to_string_lossy()) {
        unmap(&part);
    }
}

/// Where the parts of a program are that nobody ever writes to, by `/proc/self/maps` (proc(5)): its
/// code, and its head with the constants. What comes behind the code and can only be read had its
/// addresses put right by the loader, and is in no file.
fn never_written(maps: &str, program: &str) -> Vec<Range<usize>> {
    let line = |line: &str| {
        let (range, rest) = line.strip_suffix(program)?.split_once(' ')?;
        if !rest.starts_with("r-xp ") && !rest.starts_with("r--p 00000000 ") {
            return None;
        }
        let (from, to) = range.split_once('-')?;
        let at = |text| usize::from_str_radix(text, 16).ok();
        Some(at(from)?..at(to)?)
    };
    maps.lines().filter_map(line).collect()
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "there is no safe wrapper for advice on code")]
fn unmap(part: &Range<usize>) {
    let from = std::ptr::with_exposed_provenance_mut(part.start);
    // SAFETY: the range is a private mapping of the program's file that nobody may write to, so
    // every page of it is read from the file again when it is touched; nothing of it can be lost.
    let done = unsafe { libc::madvise(from, part.len(), libc::MADV_DONTNEED) };
    if done != 0 {
        tracing::debug!(error = %std::io::Error::last_os_error(), "what the start needed stays");
    }
}

#[cfg(not(target_os = "linux"))]
fn unmap(_: &Range<usize>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_of_the_program_itself_is_let_go() {
        let maps = "\
55d0-55d2 r--p 00000000 fd:00 1 /bin/steading
55d2-55d8 r-xp 00002000 fd:00 1 /bin/steading
55d8-55d9 r--p 00008000 fd:00 1 /bin/steading
55d9-55da rw-p 00009000 fd:00 1 /bin/steading
7f00-7f10 r-xp 00000000 fd:00 2 /lib/libc.so.6
7f10-7f20 r-xp 00000000 00:00 0 [vdso]
";
        assert_eq!(never_written(maps, "/bin/steading"), [0x55d0..0x55d2, 0x55d2..0x55d8]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_goes_on_without_its_start() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let program = std::env::current_exe().unwrap();
        let parts = never_written(&maps, &program.to_string_lossy());
        assert!(!parts.is_empty());
        parts.iter().for_each(unmap);
        assert_eq!(never_written(&maps, &program.to_string_lossy()), parts);
    }
}
