//! What a retry expression may measure.

use http::{Method, StatusCode};

use crate::predicate::{Function, Kind, Language, Measured};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    RequestMethod,
    IsNetworkError,
    Attempts,
    ResponseCode,
}

impl Language for Measure {
    const PACKAGE: &'static str = "buffer";
    const NAMES_OPERATORS: bool = false;

    fn function(name: &str) -> Option<Function<Self>> {
        let make: fn(&[_]) -> Self = match name {
            "RequestMethod" => |_| Self::RequestMethod,
            "IsNetworkError" => |_| Self::IsNetworkError,
            "Attempts" => |_| Self::Attempts,
            "ResponseCode" => |_| Self::ResponseCode,
            _ => return None,
        };
        Some(Function { parameters: &[], make })
    }

    fn kind(&self) -> Kind {
        match self {
            Self::RequestMethod => Kind::Text,
            Self::IsNetworkError => Kind::Truth,
            Self::Attempts | Self::ResponseCode => Kind::Integer,
        }
    }
}

pub(super) fn measure<'m>(
    what: &Measure,
    attempts: i64,
    status: StatusCode,
    method: &'m Method,
) -> Measured<'m> {
    match what {
        Measure::RequestMethod => Measured::Text(method.as_str()),
        Measure::IsNetworkError => {
            Measured::Truth(matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT))
        }
        Measure::Attempts => Measured::Integer(attempts),
        Measure::ResponseCode => Measured::Integer(i64::from(status.as_u16())),
    }
}
