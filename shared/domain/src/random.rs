//! Randomness, which no rule draws by itself.

/// A source of cryptographic randomness.
///
/// ```
/// use domain::random::Random;
///
/// /// A source that a test can predict.
/// struct Sevens;
///
/// impl Random for Sevens {
///     fn fill(&self, bytes: &mut [u8]) {
///         bytes.fill(7);
///     }
/// }
///
/// let mut id = [0; 10];
/// Sevens.fill(&mut id);
/// assert_eq!(id, [7; 10]);
/// ```
pub trait Random: Send + Sync {
    /// Fills `bytes` with random bytes of cryptographic quality.
    fn fill(&self, bytes: &mut [u8]);
}
