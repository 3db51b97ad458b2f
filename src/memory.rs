//! What the allocator keeps: large blocks go back to the system at once, small ones share a few
//! arenas. Without this, one password hash of 19 MiB stays with the process for good.

/// From this size on a block has a mapping of its own.
#[cfg(target_env = "gnu")]
const MAPPED_FROM: i32 = 1 << 20;
/// Free memory at the end of an arena that is not given back.
#[cfg(target_env = "gnu")]
const KEPT: i32 = 1 << 20;
/// Arenas: by default there are eight for each processor.
#[cfg(target_env = "gnu")]
const ARENAS: i32 = 2;

/// Tells the allocator, once, at the start of the program.
#[cfg(target_env = "gnu")]
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
#[cfg(not(target_env = "gnu"))]
pub fn settle() {}
