//! Whether the H.264 encoder was built with its assembly.
//!
//! Its build falls back to plain C++ without a word where nasm is missing, so
//! the program looks at itself: the encoder asks the processor for its
//! abilities through `WelsCPUId`, which exists in assembly alone.

/// Whether the encoder's fast routines are in this program. On ARM they need no
/// tool of their own and always are.
pub fn encoder_has_it() -> bool {
    has_cpu_id()
}

// A weak symbol that nobody defines has the address 0.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".weak WelsCPUId",
    ".pushsection .data.rel.ro.zoetrope_assembly, \"aw\", @progbits",
    ".balign 8",
    ".globl zoetrope_wels_cpu_id",
    "zoetrope_wels_cpu_id:",
    ".quad WelsCPUId",
    ".popsection",
);

#[cfg(target_arch = "x86_64")]
fn has_cpu_id() -> bool {
    unsafe extern "C" {
        #[link_name = "zoetrope_wels_cpu_id"]
        static CPU_ID: usize;
    }
    // SAFETY: the symbol is the constant of 8 bytes above, filled in by the
    // linker and the loader before any code runs, and never written.
    unsafe { CPU_ID != 0 }
}

#[cfg(not(target_arch = "x86_64"))]
fn has_cpu_id() -> bool {
    true
}
