//! The states of a delivery.

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// Another attempt will be made.
    Waiting,
    /// The destination has the report.
    Delivered,
    /// It was refused permanently, or given up.
    Failed,
    /// The destination is on the suppression list.
    Suppressed,
    /// The operator cancelled it.
    Cancelled,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Delivered, Self::Failed, Self::Suppressed, Self::Cancelled];

    /// Its name in the store and for the operator.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}
