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
