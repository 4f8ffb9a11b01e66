//! Which requests are mirrored. hot path

/// Tells whether request number `turn`, counted from 1, is among the `percent` of all that a
/// mirror gets. Traefik counts per mirror and takes the request whenever its count has fallen
/// behind; that count is the share of the total rounded up, so no counting is needed.
pub fn is_mirrored(turn: u64, percent: u8) -> bool {
    let due = |turn: u64| (u128::from(turn) * u128::from(percent)).div_ceil(100);
    turn > 0 && due(turn) > due(turn - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Traefik does.
    fn counted(percent: u8, turns: u64) -> Vec<u64> {
        let mut count = 0;
        let mut mirrored = Vec::new();
        for total in 1..=turns {
            if count * 100 < total * u64::from(percent) {
                count += 1;
                mirrored.push(total);
            }
        }
        mirrored
    }

    #[test]
    fn every_percentage_is_spread_as_traefik_spreads_it() {
        for percent in 0..=100 {
            let mirrored: Vec<u64> =
                (1..=1000).filter(|turn| is_mirrored(*turn, percent)).collect();
            assert_eq!(mirrored, counted(percent, 1000), "{percent} percent");
            assert_eq!(mirrored.len(), usize::from(percent) * 10);
        }
    }
}
