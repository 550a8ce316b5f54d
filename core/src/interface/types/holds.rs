//! Which handles a type holds.

use super::Type;

/// Which sorts of handles a type holds, in itself or in its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holds(u8);

impl Holds {
    pub(crate) const NONE: Holds = Holds(0);
    /// Of an object of the guest, owned.
    pub(crate) const GUEST_OWN: Holds = Holds(1);
    pub(crate) const GUEST_BORROW: Holds = Holds(2);
    /// Of an object of the host, owned.
    pub(crate) const HOST_OWN: Holds = Holds(4);
    pub(crate) const HOST_BORROW: Holds = Holds(8);

    pub(crate) fn with(self, other: Holds) -> Holds {
        Holds(self.0 | other.0)
    }

    /// Whether there are no others than these.
    pub(crate) fn is_within(self, others: Holds) -> bool {
        self.0 & !others.0 == 0
    }
}

/// The handles of all of them.
pub(super) fn held<'t>(types: impl IntoIterator<Item = &'t Type>) -> Holds {
    types.into_iter().fold(Holds::NONE, |all, ty| all.with(ty.holds))
}
