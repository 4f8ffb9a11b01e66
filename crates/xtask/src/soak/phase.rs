//! Parts of a run whose latencies are told apart.

/// What goes on while a request is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Before the first change.
    Before,
    /// From the write of a change until it is live.
    Reloading,
    /// Between two changes.
    Between,
    /// After the last change.
    After,
}

impl Phase {
    pub(super) const ALL: [Self; 4] = [Self::Before, Self::Reloading, Self::Between, Self::After];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Reloading => "while reloading",
            Self::Between => "between reloads",
            Self::After => "after",
        }
    }
}
