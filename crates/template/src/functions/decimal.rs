//! Decimal numbers, because sprig's float arithmetic is decimal: `addf 0.1 0.2` is 0.3.

/// The places that a quotient keeps after the point.
const DIVISION_PLACES: u32 = 16;

/// `digits × 10^-places`; what outgrows 38 digits continues as the nearest float.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decimal {
    Exact { digits: i128, places: u32 },
    Float(f64),
}

impl Default for Decimal {
    fn default() -> Self {
        Self::Exact { digits: 0, places: 0 }
    }
}

impl Decimal {
    /// Reads a float as the shortest decimal that stands for it; `None` if it is not finite.
    pub(super) fn from_float(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        let text = number.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let exact =
            format!("{whole}{fraction}").parse().ok().zip(u32::try_from(fraction.len()).ok());
        Some(match exact {
            Some((digits, places)) => Self::Exact { digits, places },
            None => Self::Float(number),
        })
    }

    pub(super) fn to_float(self) -> f64 {
        match self {
            Self::Exact { digits, places } => {
                format!("{digits}e-{places}").parse().unwrap_or(f64::NAN)
            }
            Self::Float(number) => number,
        }
    }

    pub(super) fn add(self, other: Self) -> Self {
        self.aligned(other)
            .and_then(|(left, right, places)| {
                Some(Self::Exact { digits: left.checked_add(right)?, places })
            })
            .unwrap_or_else(|| Self::Float(self.to_float() + other.to_float()))
    }

    pub(super) fn sub(self, other: Self) -> Self {
        self.aligned(other)
            .and_then(|(left, right, places)| {
                Some(Self::Exact { digits: left.checked_sub(right)?, places })
            })
            .unwrap_or_else(|| Self::Float(self.to_float() - other.to_float()))
    }

    pub(super) fn mul(self, other: Self) -> Self {
        let exact = match (self, other) {
            (
                Self::Exact { digits, places },
                Self::Exact { digits: other_digits, places: other_places },
            ) => digits
                .checked_mul(other_digits)
                .zip(places.checked_add(other_places))
                .map(|(digits, places)| Self::Exact { digits, places }),
            _ => None,
        };
        exact.unwrap_or_else(|| Self::Float(self.to_float() * other.to_float()))
    }

    /// Divides, rounding half away from zero; `None` for a division by zero.
    pub(super) fn div(self, other: Self) -> Option<Self> {
        if other.to_float() == 0.0 {
            return None;
        }
        let exact = self.aligned(other).and_then(|(left, right, _)| {
            let scaled = left.checked_mul(10i128.pow(DIVISION_PLACES))?;
            let quotient = scaled / right;
            let rest = scaled % right;
            let rounds_up = rest.unsigned_abs() * 2 >= right.unsigned_abs();
            let away = if (scaled < 0) == (right < 0) { 1 } else { -1 };
            let digits = if rounds_up && rest != 0 { quotient + away } else { quotient };
            Some(Self::Exact { digits, places: DIVISION_PLACES })
        });
        Some(exact.unwrap_or_else(|| Self::Float(self.to_float() / other.to_float())))
    }

    /// Both numbers' digits at the same number of places.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let Self::Exact { digits: left, places: left_places } = self else { return None };
        let Self::Exact { digits: right, places: right_places } = other else { return None };
        let places = left_places.max(right_places);
        let scale = |digits: i128, by: u32| digits.checked_mul(10i128.checked_pow(by)?);
        Some((scale(left, places - left_places)?, scale(right, places - right_places)?, places))
    }
}
