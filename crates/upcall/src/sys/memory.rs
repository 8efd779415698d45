//! The allocator of executables that are linked with musl.

use dlmalloc::Dlmalloc;
use std::alloc::{GlobalAlloc, Layout};
use std::sync::{Mutex, PoisonError};

/// [`Dlmalloc`] behind the standard library's lock, which takes a dozen instructions where nobody waits for it: that of
/// its own `GlobalDlmalloc` is musl's, which takes seventy.
#[allow(missing_debug_implementations)] // Dlmalloc has none
pub struct Memory(Mutex<Dlmalloc>);

impl Memory {
    /// One without memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Dlmalloc::new()))
    }

    fn heap<T>(&self, work: impl FnOnce(&mut Dlmalloc) -> T) -> T {
        // Nothing panics while it is held.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// SAFETY: these are Dlmalloc's, one at a time. The lock neither allocates nor panics.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: size and alignment are a layout's.
        self.heap(|heap| unsafe { heap.malloc(layout.size(), layout.align()) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: size and alignment are a layout's.
        self.heap(|heap| unsafe { heap.calloc(layout.size(), layout.align()) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller has the block from here, with this layout.
        self.heap(|heap| unsafe { heap.free(block, layout.size(), layout.align()) });
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller has the block from here, with this layout.
        self.heap(|heap| unsafe { heap.realloc(block, layout.size(), layout.align(), size) })
    }
}
