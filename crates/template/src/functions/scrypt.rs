//! The password-based key derivation function scrypt (RFC 7914), which the cryptographic library
//! does not offer by itself; its HMAC part does the beginning and the end.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;

/// Words of one Salsa20 block.
const BLOCK: usize = 16;

/// Derives a key of 64 bytes with cost `2^cost_log2`, block size `r` and parallelization `p`.
pub(super) fn derive(password: &[u8], salt: &[u8], cost_log2: u32, r: usize, p: usize) -> [u8; 64] {
    let mut blocks = vec![0u8; 128 * r * p];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, NonZeroU32::MIN, salt, password, &mut blocks);
    for block in blocks.chunks_exact_mut(128 * r) {
        mix(block, 1 << cost_log2);
    }
    let mut key = [0; 64];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, NonZeroU32::MIN, &blocks, password, &mut key);
    key
}

/// scryptROMix, RFC 7914 section 5.
fn mix(bytes: &mut [u8], cost: usize) {
    let mut state: Vec<u32> = bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect();
    let length = state.len();
    let mut memory = Vec::with_capacity(cost * length);
    for _ in 0..cost {
        memory.extend_from_slice(&state);
        state = mix_blocks(&state);
    }
    for _ in 0..cost {
        // Integerify: the first words of the last block, of which the cost needs no more than one.
        let index = state[length - BLOCK] as usize & (cost - 1);
        let stored = &memory[index * length..(index + 1) * length];
        for (word, other) in state.iter_mut().zip(stored) {
            *word ^= other;
        }
        state = mix_blocks(&state);
    }
    for (place, word) in bytes.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

/// scryptBlockMix, RFC 7914 section 4: the even blocks of the result come before the odd ones.
fn mix_blocks(state: &[u32]) -> Vec<u32> {
    let count = state.len() / BLOCK;
    let mut mixed = vec![0; state.len()];
    let mut running = [0u32; BLOCK];
    running.copy_from_slice(&state[state.len() - BLOCK..]);
    for (index, block) in state.chunks_exact(BLOCK).enumerate() {
        for (word, other) in running.iter_mut().zip(block) {
            *word ^= other;
        }
        salsa20_8(&mut running);
        let place = index / 2 + (index % 2) * (count / 2);
        mixed[place * BLOCK..(place + 1) * BLOCK].copy_from_slice(&running);
    }
    mixed
}

/// The Salsa20/8 core, RFC 7914 section 3.
fn salsa20_8(block: &mut [u32; BLOCK]) {
    const COLUMNS: [[usize; 4]; 4] = [[0, 4, 8, 12], [5, 9, 13, 1], [10, 14, 2, 6], [15, 3, 7, 11]];
    const ROWS: [[usize; 4]; 4] = [[0, 1, 2, 3], [5, 6, 7, 4], [10, 11, 8, 9], [15, 12, 13, 14]];
    let mut words = *block;
    for _ in 0..4 {
        for [a, b, c, d] in COLUMNS.into_iter().chain(ROWS) {
            words[b] ^= words[a].wrapping_add(words[d]).rotate_left(7);
            words[c] ^= words[b].wrapping_add(words[a]).rotate_left(9);
            words[d] ^= words[c].wrapping_add(words[b]).rotate_left(13);
            words[a] ^= words[d].wrapping_add(words[c]).rotate_left(18);
        }
    }
    for (word, mixed) in block.iter_mut().zip(words) {
        *word = word.wrapping_add(mixed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7914 section 12.
    #[test]
    fn derives_the_keys_of_the_rfc() {
        let hex = |key: [u8; 64]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert!(hex(derive(b"", b"", 4, 1, 1)).starts_with("77d6576238657b203b19ca42c18a0497"));
        assert!(
            hex(derive(b"password", b"NaCl", 10, 8, 16))
                .starts_with("fdbabe1c9d3472007856e7190d01e9fe")
        );
    }
}
