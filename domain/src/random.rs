//! Randomness as an argument.

/// Where unpredictable bytes come from. Processes pass the system's generator, tests a seeded one.
pub trait Random: Send + Sync {
    /// Fills `bytes` with unpredictable values.
    fn fill(&self, bytes: &mut [u8]);

    /// A fresh random id (UUID version 4, RFC 9562 §5.4).
    fn uuid(&self) -> uuid::Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}
