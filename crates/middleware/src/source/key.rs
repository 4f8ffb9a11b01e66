//! The name of a source, of one size whatever a client sends.

use std::hash::{Hash, Hasher};

use aws_lc_rs::digest;

/// Names a source in full. What is longer than fits is named by its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SourceKey {
    length: u8,
    bytes: [u8; BYTES_MAX],
}

const BYTES_MAX: usize = 47;
/// The length of what is named by its digest: no name that fits has it.
const IS_DIGEST: u8 = u8::MAX;

impl SourceKey {
    pub(crate) fn new(name: &[u8]) -> Self {
        let mut bytes = [0; BYTES_MAX];
        if let Some(place) = bytes.get_mut(..name.len()) {
            place.copy_from_slice(name);
            return Self { length: name.len() as u8, bytes };
        }
        let digest = digest::digest(&digest::SHA256, name);
        bytes[..digest.as_ref().len()].copy_from_slice(digest.as_ref());
        Self { length: IS_DIGEST, bytes }
    }
}

impl Hash for SourceKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(self.length);
        let written = self.bytes.get(..usize::from(self.length)).unwrap_or(&self.bytes);
        state.write(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_whatever_their_length() {
        let names: Vec<Vec<u8>> = (0..200).map(|length| vec![b'a'; length]).collect();
        let keys: Vec<SourceKey> = names.iter().map(|name| SourceKey::new(name)).collect();
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(keys.iter().position(|other| other == key), Some(at));
        }
        let digest = digest::digest(&digest::SHA256, &names[100]);
        assert_ne!(keys[100], SourceKey::new(digest.as_ref()));
    }
}
