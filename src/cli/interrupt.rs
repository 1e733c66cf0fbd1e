//! Work that Ctrl-C ends at once.

use rayon::ThreadPool;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

/// What the main thread waits for.
enum Event<T> {
    Done(Box<T>),
    Interrupted,
}

/// Threads that work while the main thread waits for them or for Ctrl-C. A step may take hours; since
/// nobody waits for threads that were interrupted, that ends the work at once all the same.
pub(super) struct Workers<T> {
    pool: ThreadPool,
    events: Receiver<Event<T>>,
    sender: Sender<Event<T>>,
}

impl<T: Send + 'static> Workers<T> {
    /// Listens to Ctrl-C from now on; there can be but one.
    pub fn new(pool: ThreadPool) -> io::Result<Self> {
        let (sender, events) = channel();
        let interrupts = sender.clone();
        ctrlc::set_handler(move || {
            // Where nobody listens any more, the work is over anyway.
            let _ = interrupts.send(Event::Interrupted);
        })
        .map_err(io::Error::other)?;
        Ok(Self { pool, events, sender })
    }

    /// How many.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// What `work` gives; none where it was interrupted.
    pub fn run(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let done = self.sender.clone();
        self.pool.spawn(move || {
            let result = Box::new(work());
            // Where nobody waits any more, the work was interrupted.
            let _ = done.send(Event::Done(result));
        });
        match self.events.recv() {
            Ok(Event::Done(result)) => Some(*result),
            Ok(Event::Interrupted) | Err(_) => None,
        }
    }

    /// Whether Ctrl-C came while nothing was waited for.
    pub fn was_interrupted(&self) -> bool {
        matches!(self.events.try_recv(), Ok(Event::Interrupted))
    }
}
