//! One error enum; its `Display` text is what the user reads.

/// Everything an index refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting is out of its range.
    #[error("{what}")]
    Config {
        /// Which setting, its range and the value given.
        what: String,
    },
    /// A vector has another dimension than the index.
    #[error("{what}")]
    Dimension {
        /// Both dimensions.
        what: String,
    },
    /// A vector or an id cannot be taken.
    #[error("{what}")]
    Vector {
        /// Which row and why.
        what: String,
    },
    /// Bytes are not a snapshot of this version, or were changed since.
    #[error("{what}")]
    Snapshot {
        /// What was found.
        what: String,
    },
}
