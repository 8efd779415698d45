//! The allocator: a stretch of static memory that is handed out from one end, and the C library's after that.
//!
//! An upcall lives for a millisecond and allocates a few dozen KiB in some hundred pieces, which the system takes
//! back as a whole. What is freed here is not used again, but for the piece handed out last; so there is no
//! bookkeeping to do, or to corrupt.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Enough for an ordinary upcall. Pages that are not needed cost nothing.
const SIZE: usize = 1 << 16;

/// The allocator of the executables of this project.
pub struct Arena {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: the memory is only reached through the pieces handed out, and no two of them overlap.
unsafe impl Sync for Arena {}

impl Arena {
    /// An empty one.
    #[must_use]
    #[allow(clippy::new_without_default, clippy::large_stack_arrays)] // it is a static's value
    pub const fn new() -> Self {
        Self { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) }
    }

    fn start(&self) -> usize {
        self.memory.get().addr()
    }

    /// Where in the memory `piece` begins, if it is one of ours.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        piece.addr().checked_sub(self.start()).filter(|&offset| offset < SIZE)
    }

    /// Takes `layout` bytes off the rest.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let used = self.used.load(Ordering::Relaxed);
        let start = (self.start() + used).checked_next_multiple_of(layout.align())? - self.start();
        let end = start.checked_add(layout.size()).filter(|&end| end <= SIZE)?;
        // Where another thread came first, the C library has memory as well. What one did to this memory before it
        // gave it back is over.
        self.used.compare_exchange(used, end, Ordering::Acquire, Ordering::Relaxed).ok()?;
        // SAFETY: `start` lies within the memory, or just at its end for a piece of no bytes.
        Some(unsafe { self.memory.get().cast::<u8>().add(start) })
    }
}

// SAFETY: a piece is within the memory, aligned, as long as asked for and no part of another one, since `used` only
// ever moves past it, and back to its start when it is given back; all else is the system allocator's.
unsafe impl GlobalAlloc for Arena {
    #[inline(never)] // at each of some thousand places
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(piece) => piece,
            // SAFETY: as the caller promised.
            None => unsafe { System.alloc(layout) },
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match self.offset(piece) {
            Some(offset) => {
                let end = offset + layout.size();
                // Only where it is the last one; else it stays as it is.
                let _ = self.used.compare_exchange(end, offset, Ordering::Release, Ordering::Relaxed);
            }
            // SAFETY: what is not in the memory came from the system allocator.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(piece) else {
            // SAFETY: what is not in the memory came from the system allocator.
            return unsafe { System.realloc(piece, layout, size) };
        };
        let end = offset + layout.size();
        let grown = offset.checked_add(size).filter(|&grown| grown <= SIZE);
        if let Some(grown) = grown
            && self.used.compare_exchange(end, grown, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        {
            return piece;
        }
        // SAFETY: the size is one that the caller may ask for with this alignment.
        let copy = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !copy.is_null() {
            // SAFETY: both are as long as the shorter of them, and the new one is no part of the old.
            unsafe { std::ptr::copy_nonoverlapping(piece, copy, layout.size().min(size)) };
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The longest piece that is asked for here; a few dozen such are more than the memory holds.
    const LONGEST: usize = 5000;

    /// What a program does in one test; Miri takes a thousand times as long for it.
    const ACTS: usize = if cfg!(miri) { 60 } else { 200 };

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// What a program does with one piece of memory.
    #[derive(Clone, Copy, Debug)]
    enum Act {
        Take { size: usize, align: usize },
        Resize { which: usize, size: usize },
        Free { which: usize },
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            3 => (1..3000_usize, 0..7_u32).prop_map(|(size, shift)| Act::Take { size, align: 1 << shift }),
            2 => (0..100_usize, 1..=LONGEST).prop_map(|(which, size)| Act::Resize { which, size }),
            2 => (0..100_usize).prop_map(|which| Act::Free { which }),
        ]
    }

    /// A piece in use, filled with its mark.
    struct Piece {
        at: *mut u8,
        layout: Layout,
        mark: u8,
    }

    impl Piece {
        fn fill(&self) {
            // SAFETY: the piece is ours and as long as its layout says.
            unsafe { self.at.write_bytes(self.mark, self.layout.size()) };
        }

        fn intact(&self, length: usize) -> bool {
            // SAFETY: as above, and `length` is no more than that.
            let bytes = unsafe { std::slice::from_raw_parts(self.at, length) };
            // Compared as a whole, which Miri does at once.
            self.at.addr().is_multiple_of(self.layout.align()) && *bytes == [self.mark; LONGEST][..length]
        }
    }

    proptest! {
        #[test]
        fn no_piece_is_touched_by_another(acts in prop::collection::vec(act(), 1..ACTS)) {
            let arena = Box::new(Arena::new());
            let mut pieces: Vec<Piece> = Vec::new();
            for (mark, act) in (0..=250_u8).cycle().zip(acts) {
                match act {
                    Act::Take { size, align } => {
                        let layout = layout(size, align);
                        // SAFETY: the size is not zero.
                        let piece = Piece { at: unsafe { arena.alloc(layout) }, layout, mark };
                        piece.fill();
                        pieces.push(piece);
                    }
                    Act::Resize { which, size } if which < pieces.len() => {
                        let piece = &mut pieces[which];
                        // SAFETY: it came from this arena with this layout.
                        piece.at = unsafe { arena.realloc(piece.at, piece.layout, size) };
                        let kept = piece.layout.size().min(size);
                        piece.layout = layout(size, piece.layout.align());
                        prop_assert!(piece.intact(kept));
                        piece.fill();
                    }
                    Act::Free { which } if which < pieces.len() => {
                        let piece = pieces.swap_remove(which);
                        // SAFETY: it came from this arena with this layout.
                        unsafe { arena.dealloc(piece.at, piece.layout) };
                    }
                    _ => {}
                }
                for piece in &pieces {
                    prop_assert!(piece.intact(piece.layout.size()));
                }
            }
            for piece in pieces {
                // SAFETY: it came from this arena with this layout.
                unsafe { arena.dealloc(piece.at, piece.layout) };
            }
        }
    }

    #[test]
    fn the_last_piece_grows_in_place_and_comes_back() {
        let arena = Arena::new();
        // SAFETY: sizes are not zero, and each piece is given back as it was taken.
        unsafe {
            let piece = arena.alloc(layout(10, 1));
            assert_eq!(arena.realloc(piece, layout(10, 1), 100), piece);
            arena.dealloc(piece, layout(100, 1));
            assert_eq!(arena.alloc(layout(10, 1)), piece);
        }
    }

    #[test]
    fn what_does_not_fit_is_the_system_s() {
        let arena = Arena::new();
        let take = |size| {
            let layout = layout(size, 1);
            // SAFETY: the size is not zero.
            let piece = Piece { at: unsafe { arena.alloc(layout) }, layout, mark: 7 };
            piece.fill();
            piece
        };
        let head = take(SIZE - LONGEST);
        let tail = take(LONGEST - 10);
        let other = take(11);
        let last = take(10);
        assert_eq!(arena.offset(other.at), None);
        assert_eq!(arena.offset(last.at), Some(SIZE - 10));
        // SAFETY: each came from this arena with this layout.
        unsafe {
            arena.dealloc(last.at, last.layout);
            // It is not the last one, and has no room.
            let moved = arena.realloc(head.at, head.layout, SIZE);
            assert_eq!(arena.offset(moved), None);
            arena.dealloc(moved, layout(SIZE, 1));
            // It has room for ten bytes, and no more.
            assert_eq!(arena.realloc(tail.at, tail.layout, LONGEST), tail.at);
            let moved = arena.realloc(tail.at, layout(LONGEST, 1), LONGEST + 1);
            let moved = Piece { at: moved, layout: layout(LONGEST + 1, 1), mark: 7 };
            assert_eq!(arena.offset(moved.at), None);
            assert!(moved.intact(LONGEST - 10));
            arena.dealloc(moved.at, moved.layout);
            arena.dealloc(other.at, other.layout);
        }
    }

    #[test]
    fn what_one_thread_gives_back_another_may_use() {
        let arena = Arena::new();
        let work = |mark| {
            for _ in 0..20 {
                // SAFETY: the size is not zero, and the piece is given back as it was taken.
                unsafe {
                    let piece = Piece { at: arena.alloc(layout(50, 1)), layout: layout(50, 1), mark };
                    piece.fill();
                    let piece = Piece { at: arena.realloc(piece.at, piece.layout, 100), ..piece };
                    assert!(piece.intact(50));
                    let piece = Piece { layout: layout(100, 1), ..piece };
                    piece.fill();
                    assert!(piece.intact(100));
                    arena.dealloc(piece.at, piece.layout);
                }
            }
        };
        std::thread::scope(|scope| {
            for mark in 1..=3 {
                scope.spawn(move || work(mark));
            }
        });
    }
}
