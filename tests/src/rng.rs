//! The only source of randomness: one seed, one sequence (splitmix64).

/// A generator that draws the same sequence for the same seed.
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// Alternatives, each with its weight.
pub type Weights<T> = [(u64, T)];

impl Rng {
    /// A generator for this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Draws any number.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Draws a number below `bound`; 0 when that is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        // The remainder favours small numbers by less than one in 2^50 here, which does not matter to a test.
        if bound == 0 { 0 } else { self.roll() % bound }
    }

    /// Draws a number from `least` to `most`, both included.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least.saturating_add(self.below(most.saturating_sub(least).saturating_add(1)))
    }

    /// Draws whether something happens that happens that many times in a thousand. Draws nothing where it never does.
    pub const fn happens(&mut self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1000) < per_mille
    }

    /// Draws a place in a list of that length.
    pub fn place(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    /// Draws one entry of a list, if it has any.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let place = self.place(list.len());
        list.get(place)
    }

    /// Draws one alternative, the more often the greater its weight.
    pub fn weighted<T: Copy>(&mut self, weights: &Weights<T>) -> Option<T> {
        let sum = weights.iter().fold(0_u64, |sum, (weight, _)| sum.saturating_add(*weight));
        let mut left = self.below(sum);
        for (weight, alternative) in weights {
            if left < *weight {
                return Some(*alternative);
            }
            left = left.saturating_sub(*weight);
        }
        None
    }
}
