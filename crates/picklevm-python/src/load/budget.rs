//! Resource limits of a load.

use std::time::{Duration, Instant};

use picklevm::Limits;

/// Resource limits of a load.
pub(crate) struct Budget {
    /// Values that may be made, and bytes of memory that they may take, as limits of the machine.
    pub(crate) limits: Limits,
    nodes: u64,
    bytes: u64,
    time: Option<(Instant, Duration)>,
}

impl Budget {
    /// Creates a budget, whose time begins at `start`.
    pub(crate) fn new(nodes: u64, bytes: u64, start: Instant, time: Option<Duration>) -> Budget {
        let limits = Limits::none().nodes(nodes).bytes(bytes);
        Budget { limits, nodes, bytes, time: time.map(|time| (start, time)) }
    }

    /// Returns whether the time is over.
    pub(crate) fn is_late(&self) -> bool {
        self.time.is_some_and(|(start, time)| start.elapsed() > time)
    }

    /// Returns whether a load that made this exceeds the budget.
    pub(crate) fn is_exceeded(&self, nodes: u64, bytes: u64) -> bool {
        nodes > self.nodes || bytes > self.bytes || self.is_late()
    }

    /// Says what is exceeded.
    #[cold]
    pub(crate) fn exceeded(&self, nodes: u64, bytes: u64) -> Option<String> {
        if let Some((_, time)) = self.time.filter(|_| self.is_late()) {
            return Some(format!("it takes longer than {} seconds (Limits.time)", time.as_secs_f64()));
        }
        if nodes > self.nodes {
            return Some(format!("it makes more than {} values (Limits.nodes)", self.nodes));
        }
        // The machine counts its stacks as well, and stops before the limit is reached.
        Some(format!(
            "what it makes takes more than about {} bytes of memory (Limits.bytes); {bytes} so far",
            self.bytes
        ))
    }
}
