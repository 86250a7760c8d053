//! Randomness, which no rule draws by itself.

/// A source of cryptographic randomness.
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes of cryptographic quality.
    fn fill(&self, bytes: &mut [u8]);
}
