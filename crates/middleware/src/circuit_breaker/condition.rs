//! What a circuit breaker's expression may measure.

use crate::predicate::{Function, Kind, Language, Number, Parameter};

#[derive(Debug, PartialEq)]
pub(super) enum Measure {
    NetworkErrorRatio,
    /// From and to, for each of from and to.
    ResponseCodeRatio([i64; 4]),
    LatencyAtQuantileMs(f64),
}

impl Language for Measure {
    const PACKAGE: &'static str = "cbreaker";
    const NAMES_OPERATORS: bool = true;

    fn function(name: &str) -> Option<Function<Self>> {
        Some(match name {
            "NetworkErrorRatio" => Function { parameters: &[], make: |_| Self::NetworkErrorRatio },
            "ResponseCodeRatio" => Function {
                parameters: &[Parameter::Integer; 4],
                make: |numbers| {
                    let number = |at: usize| match numbers.get(at) {
                        Some(Number::Integer(number)) => *number,
                        _ => 0,
                    };
                    Self::ResponseCodeRatio(std::array::from_fn(number))
                },
            },
            "LatencyAtQuantileMS" => Function {
                parameters: &[Parameter::Float],
                make: |numbers| match numbers.first() {
                    Some(Number::Float(quantile)) => Self::LatencyAtQuantileMs(*quantile),
                    _ => Self::LatencyAtQuantileMs(0.0),
                },
            },
            _ => return None,
        })
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NetworkErrorRatio | Self::ResponseCodeRatio(_) => Kind::Float,
            Self::LatencyAtQuantileMs(_) => Kind::Integer,
        }
    }
}
