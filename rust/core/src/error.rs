//! One error enum; its `Display` text is what the user reads.

/// Everything the core refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting is out of its range.
    #[error("{what}")]
    Config {
        /// Which setting, its range and the value given.
        what: String,
    },
    /// A cost is NaN, infinite or negative, or belongs to nothing observed.
    #[error("{what}")]
    Cost {
        /// Which cost and why it is refused.
        what: String,
    },
    /// Bytes are not a snapshot of this version, or were changed since.
    #[error("{what}")]
    Snapshot {
        /// What was found.
        what: String,
    },
}
