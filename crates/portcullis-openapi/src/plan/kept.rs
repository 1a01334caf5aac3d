//! What tools' arguments are held against, compiled: as much as there is room for in the process.
//!
//! A compiled schema is many times as large as its text, and a process may serve the tools of many documents.
//! Where there is no room left, the one goes that was used the longest ago; it is compiled anew when its tool is called again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jsonschema::Validator;

/// Bytes that all compiled schemas of a process may have together.
const MAX_BYTES: usize = 256 << 20;

/// The room for the tools of all documents.
pub(super) static ROOM: Room = Room::of(MAX_BYTES);

/// A tool's compiled schema, as long as it is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(Arc<Slot>);

#[derive(Debug, Default)]
struct Slot {
    compiled: Mutex<Option<Compiled>>,
    /// When it was used, in uses of the room.
    used: AtomicU64,
}

/// A compiled schema, where it compiles, and how many bytes it has, about.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub(super) validator: Option<Arc<Validator>>,
    pub(super) size: usize,
}

impl Kept {
    /// Returns the compiled schema, compiled anew where it is not kept; calls that come meanwhile wait for it.
    pub(super) fn get(
        &self,
        room: &Room,
        compile: impl FnOnce() -> Compiled,
    ) -> Option<Arc<Validator>> {
        self.0
            .used
            .store(room.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let mut slot = locked(&self.0.compiled);
        if let Some(known) = &*slot {
            return known.validator.clone();
        }
        let compiled = compile();
        *slot = Some(compiled.clone());
        // Never both locks at once in this order: the room takes them in the other.
        drop(slot);
        room.take(&self.0, compiled.size);
        compiled.validator
    }
}

/// Room for compiled schemas.
#[derive(Debug)]
pub(super) struct Room {
    max: usize,
    uses: AtomicU64,
    taken: Mutex<Vec<(Weak<Slot>, usize)>>,
}

impl Room {
    pub(super) const fn of(max: usize) -> Self {
        Self {
            max,
            uses: AtomicU64::new(0),
            taken: Mutex::new(Vec::new()),
        }
    }

    /// Makes room for one more by letting go of others; the new one stays, however large it is.
    fn take(&self, new: &Arc<Slot>, size: usize) {
        let mut taken = locked(&self.taken);
        taken.retain(|(slot, _)| slot.strong_count() > 0);
        let mut sum: usize = taken.iter().map(|(_, size)| size).sum();
        if sum + size > self.max {
            let used = |(slot, _): &(Weak<Slot>, usize)| {
                slot.upgrade()
                    .map_or(0, |slot| slot.used.load(Ordering::Relaxed))
            };
            taken.sort_by_cached_key(used);
            let mut going = 0;
            for (slot, size_of_slot) in &*taken {
                if sum + size <= self.max {
                    break;
                }
                sum -= size_of_slot;
                going += 1;
                if let Some(slot) = slot.upgrade() {
                    *locked(&slot.compiled) = None;
                }
            }
            taken.drain(..going);
        }
        taken.push((Arc::downgrade(new), size));
    }
}

/// What is behind the locks is whole at any time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks for a schema of some size, and tells whether it had to be compiled.
    fn is_compiled(kept: &Kept, room: &Room, size: usize) -> bool {
        let mut compiled = false;
        kept.get(room, || {
            compiled = true;
            Compiled {
                validator: None,
                size,
            }
        });
        compiled
    }

    #[test]
    fn x_01_compiled_schemas_are_bounded_in_sum() {
        let room = Room::of(10);
        let [a, b, c, d] = [(); 4].map(|()| Kept::default());
        for kept in [&a, &b] {
            assert!(is_compiled(kept, &room, 4) && !is_compiled(kept, &room, 4));
        }
        assert!(!is_compiled(&a, &room, 4), "there is room for both");
        assert!(
            is_compiled(&c, &room, 4),
            "the third takes the place of the one that rests"
        );
        assert!(!is_compiled(&a, &room, 4) && is_compiled(&b, &room, 4));
        assert!(
            is_compiled(&d, &room, 100),
            "what is too large is kept alone"
        );
        assert!(!is_compiled(&d, &room, 100));
        for kept in [&a, &b, &c] {
            assert!(is_compiled(kept, &room, 4), "all others had to go");
        }
    }

    #[test]
    fn what_no_tool_has_any_more_takes_no_room() {
        let room = Room::of(10);
        let kept = Kept::default();
        assert!(is_compiled(&kept, &room, 5));
        for _ in 0..5 {
            assert!(is_compiled(&Kept::default(), &room, 5));
        }
        assert!(!is_compiled(&kept, &room, 5));
        assert_eq!(locked(&room.taken).len(), 2);
    }
}
