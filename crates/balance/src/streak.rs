//! How many findings in a row change the mind about a server.

/// Counts findings that speak against what is believed.
#[derive(Debug)]
pub struct Streak {
    rise: u32,
    fall: u32,
    against: u32,
}

impl Streak {
    /// `rise` good findings in a row take a server in, `fall` bad ones take it out; 0 counts as 1.
    pub fn new(rise: u32, fall: u32) -> Self {
        Self { rise: rise.max(1), fall: fall.max(1), against: 0 }
    }

    /// Takes a finding of a server that is in or out; tells whether that is to change.
    pub fn add(&mut self, is_well: bool, is_up: bool) -> bool {
        if is_well == is_up {
            self.against = 0;
            return false;
        }
        self.against += 1;
        let needed = if is_up { self.fall } else { self.rise };
        if self.against < needed {
            return false;
        }
        self.against = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes findings (`+` good, `-` bad) of a server that starts in; gives what it is after each.
    fn check(rise: u32, fall: u32, findings: &str, expected: &str) {
        let (mut streak, mut is_up) = (Streak::new(rise, fall), true);
        let mut found = String::new();
        for finding in findings.chars() {
            if streak.add(finding == '+', is_up) {
                is_up = !is_up;
            }
            found.push(if is_up { 'U' } else { 'D' });
        }
        assert_eq!(found, expected, "rise {rise}, fall {fall}: {findings}");
    }

    #[test]
    fn one_finding_is_enough_unless_told_otherwise() {
        check(0, 0, "+-+-", "UDUD");
        check(1, 1, "--++", "DDUU");
    }

    #[test]
    fn only_findings_in_a_row_count() {
        check(2, 3, "--+---", "UUUUUD");
        check(2, 3, "---+-++", "UUDDDDU");
        check(2, 1, "-++-+", "DDUDD");
    }
}
