//! mimalloc as the global allocator, straight from Debian's library.

use std::alloc::{GlobalAlloc, Layout};

extern "C" {
    fn mi_malloc_aligned(size: usize, align: usize) -> *mut u8;
    fn mi_zalloc_aligned(size: usize, align: usize) -> *mut u8;
    fn mi_realloc_aligned(p: *mut u8, size: usize, align: usize) -> *mut u8;
    fn mi_free(p: *mut u8);
}

pub struct Mimalloc;

// SAFETY: mimalloc keeps the contract of malloc, and takes each alignment that a Layout can have.
unsafe impl GlobalAlloc for Mimalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mi_malloc_aligned(layout.size(), layout.align())
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        mi_zalloc_aligned(layout.size(), layout.align())
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        mi_realloc_aligned(p, size, layout.align())
    }
    unsafe fn dealloc(&self, p: *mut u8, _: Layout) {
        mi_free(p)
    }
}
