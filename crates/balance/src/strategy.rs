//! The strategies of load balancers. hot path

#[cfg(test)]
mod tests;

use crate::{LeastConnections, LeastTime, Load, PowerOfTwo, Rendezvous, RoundRobin};

/// Says which server is next.
#[derive(Debug)]
pub enum Strategy {
    /// `wrr`: in turn, in proportion to the weights.
    RoundRobin(RoundRobin),
    /// `p2c`: the less busy of two at random.
    PowerOfTwo(PowerOfTwo),
    /// `hrw`: by the client's address, as Traefik maps it.
    HighestRandomWeight(Rendezvous),
    /// `leasttime`: the fastest lately.
    LeastTime(LeastTime),
    /// `leastconn`: the one with the fewest requests under way.
    LeastConnections(LeastConnections),
    /// `source`: by the client's address, evenly.
    Source(Rendezvous),
}

/// What a strategy may ask of those it picks from.
pub trait Members {
    /// Tells whether requests may go to the member.
    fn is_usable(&self, index: usize) -> bool;

    /// What the member has to do.
    fn load(&self, index: usize) -> &Load;

    /// The share of its weight that the member has at the moment: above 0, at most 1.
    fn share(&self, index: usize) -> f64 {
        let _ = index;
        1.0
    }
}

impl Strategy {
    /// Makes the strategy that users call `name`; `None` if there is no such. `names` are the
    /// servers' URLs. `start` is where the first pick falls, of strategies that go in turn.
    pub fn new<S: AsRef<str>>(
        name: &str,
        names: &[S],
        weights: &[i64],
        start: usize,
    ) -> Option<Self> {
        Some(match name {
            "" | "wrr" => Self::RoundRobin(RoundRobin::new(weights, start)),
            "p2c" => Self::PowerOfTwo(PowerOfTwo::new(names.len())),
            "hrw" => Self::HighestRandomWeight(Rendezvous::like_traefik(names, weights)),
            "leasttime" => Self::LeastTime(LeastTime::new(weights, start)),
            "leastconn" => Self::LeastConnections(LeastConnections::new(weights, start)),
            "source" => Self::Source(Rendezvous::even(names, weights)),
            _ => return None,
        })
    }

    /// Picks one of the members for the client with this address.
    pub fn pick(&self, client: &[u8], members: &impl Members) -> Option<usize> {
        match self {
            Self::RoundRobin(strategy) => {
                // Who starts slowly lets others go first, in proportion to what is missing.
                let may_go = |index: usize| {
                    let share = members.share(index);
                    share >= 1.0 || fastrand::f64() < share
                };
                strategy
                    .next(|index| members.is_usable(index) && may_go(index))
                    .or_else(|| strategy.next(|index| members.is_usable(index)))
            }
            Self::PowerOfTwo(strategy) => strategy.pick(members),
            Self::LeastTime(strategy) => strategy.pick(members),
            Self::LeastConnections(strategy) => strategy.pick(members),
            // A slow start would send clients back and forth.
            Self::HighestRandomWeight(strategy) | Self::Source(strategy) => {
                strategy.pick(client, |index| members.is_usable(index))
            }
        }
    }

    /// Tells whether the strategy asks for requests under way, so that they are to be counted.
    pub fn needs_load(&self) -> bool {
        matches!(self, Self::PowerOfTwo(_) | Self::LeastTime(_) | Self::LeastConnections(_))
    }

    /// Tells whether the strategy asks for response times, so that they are to be measured.
    pub fn needs_response_times(&self) -> bool {
        matches!(self, Self::LeastTime(_))
    }

    /// Tells whether members of weight zero take part.
    pub fn ignores_weights(&self) -> bool {
        matches!(self, Self::PowerOfTwo(_))
    }

    /// Tells whether sticky cookies count. Traefik's `hrw` ignores them.
    pub fn allows_cookies(&self) -> bool {
        !matches!(self, Self::HighestRandomWeight(_))
    }
}
