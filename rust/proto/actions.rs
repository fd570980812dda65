// SPDX-License-Identifier: GPL-2.0

//! What a state machine answers: a few actions, in order, without an allocation.

/// Up to `N` actions.
#[derive(Clone, Copy, Debug)]
pub struct Actions<A, const N: usize>([Option<A>; N]);

impl<A: Copy, const N: usize> Actions<A, N> {
    /// More than any event of the machine has.
    pub const MOST: usize = N;

    /// None.
    pub const fn new() -> Self {
        Self([None; N])
    }

    /// Adds one.
    pub fn push(&mut self, action: A) {
        if let Some(place) = self.0.iter_mut().find(|place| place.is_none()) {
            *place = Some(action);
        }
    }
}

impl<A: Copy, const N: usize> Default for Actions<A, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Copy, const N: usize, const M: usize> From<[A; M]> for Actions<A, N> {
    fn from(actions: [A; M]) -> Self {
        let mut list = Self::new();
        actions.into_iter().for_each(|action| list.push(action));
        list
    }
}

impl<A, const N: usize> IntoIterator for Actions<A, N> {
    type Item = A;
    type IntoIter = core::iter::Flatten<core::array::IntoIter<Option<A>, N>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}
