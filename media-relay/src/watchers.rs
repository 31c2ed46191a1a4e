//! Which signaling connection watches which room, and which of these rooms changed since it was last told.

use domain::RoomId;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// One connection of a signaling node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct WatcherId(u64);

/// All watchers. A room's changes between two messages are one: nothing queues up, however slow a watcher is.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<Table>);

#[derive(Default)]
struct Table {
    next: u64,
    watchers: HashMap<WatcherId, Watcher>,
}

struct Watcher {
    rooms: HashSet<RoomId>,
    changed: HashSet<RoomId>,
    notify: Arc<Notify>,
}

impl Watchers {
    /// A new connection, with what wakes it.
    pub(crate) fn add(&self) -> (WatcherId, Arc<Notify>) {
        let mut table = self.lock();
        table.next += 1;
        let (id, notify) = (WatcherId(table.next), Arc::<Notify>::default());
        let watcher = Watcher { rooms: HashSet::new(), changed: HashSet::new(), notify: Arc::clone(&notify) };
        table.watchers.insert(id, watcher);
        (id, notify)
    }

    /// The connection ended.
    pub(crate) fn remove(&self, id: WatcherId) {
        self.lock().watchers.remove(&id);
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().watchers.len()
    }

    /// Tells of this room from now on, its present state first.
    pub(crate) fn watch(&self, id: WatcherId, room: RoomId) {
        if let Some(watcher) = self.lock().watchers.get_mut(&id) {
            watcher.rooms.insert(room);
            watcher.changed.insert(room);
            watcher.notify.notify_one();
        }
    }

    /// The room ended for this watcher.
    pub(crate) fn unwatch(&self, id: WatcherId, room: RoomId) {
        if let Some(watcher) = self.lock().watchers.get_mut(&id) {
            watcher.rooms.remove(&room);
        }
    }

    /// The room changed.
    pub(crate) fn changed(&self, room: RoomId) {
        for watcher in self.lock().watchers.values_mut().filter(|watcher| watcher.rooms.contains(&room)) {
            watcher.changed.insert(room);
            watcher.notify.notify_one();
        }
    }

    /// Takes what changed since the last time.
    pub(crate) fn take_changed(&self, id: WatcherId) -> Vec<RoomId> {
        self.lock().watchers.get_mut(&id).map(|watcher| watcher.changed.drain().collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
