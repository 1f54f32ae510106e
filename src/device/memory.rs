//! Memory that the allocator keeps for later, given back to the system.

/// Gives back what was freed. The network's scratch memory and what a renderer
/// is prepared with are tens of megabytes that the encoders would otherwise
/// come on top of.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn malloc_trim(pad_bytes: usize) -> std::ffi::c_int;
        }
        // SAFETY: it may be called at any time from any thread, and changes
        // nothing that is in use.
        unsafe { malloc_trim(0) };
    }
}

/// Lets all threads share two arenas of the allocator, for a process that lives
/// for long. Every render has threads of its own; left alone, they spread what
/// stays over an arena for each and leave holes in all: 200 small renders grew
/// the process by 10 MB and more, with two arenas by nothing.
pub fn share_arenas() {
    #[cfg(target_env = "gnu")]
    {
        /// `M_ARENA_MAX` of glibc's malloc.h.
        const ARENA_MAX: std::ffi::c_int = -8;
        set(ARENA_MAX, 2);
    }
}

/// Gives whatever is as large as a picture pages of its own, which go back as soon
/// as it is freed. Otherwise the allocator learns from the first pictures to keep
/// them: then a clip of 3840x2160 that is drawn twice takes 480 MB at its peak
/// instead of 390, and 39 MB instead of 26 stay in a daemon after a few of
/// 1280x720, files that are mapped not counted.
pub fn return_pictures() {
    #[cfg(target_env = "gnu")]
    {
        /// `M_MMAP_THRESHOLD`; once it is set, it no longer grows by itself.
        const MMAP_THRESHOLD: std::ffi::c_int = -3;
        set(MMAP_THRESHOLD, 1 << 20);
    }
}

/// Sets a parameter of glibc's allocator.
#[cfg(target_env = "gnu")]
fn set(parameter: std::ffi::c_int, value: std::ffi::c_int) {
    unsafe extern "C" {
        fn mallopt(param: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
    }
    // SAFETY: it may be called at any time from any thread, and counts for what is
    // allocated from then on.
    unsafe { mallopt(parameter, value) };
}
