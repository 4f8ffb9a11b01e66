//! What stands between operators: literals and calls, and refusing all else.

use super::parser::Expression;
use super::scanner::{Kind, Token};
use super::text::{quote, unquote};

/// A literal, or a function with its arguments.
pub enum Term<'e, 'a> {
    Text(Vec<u8>),
    Integer(i64),
    Float(f64),
    Call { name: String, arguments: &'e [Expression<'a>] },
}

/// Reads an expression without operators.
///
/// # Errors
/// What Traefik says of names, types and numbers that have no meaning to it.
pub fn term<'e, 'a>(expression: &'e Expression<'a>) -> Result<Term<'e, 'a>, String> {
    match expression {
        Expression::Literal(token) => literal(token),
        Expression::Index => Err("properties are not supported".to_owned()),
        Expression::Identifier(name) => Err(format!("{name} is not defined")),
        Expression::Selector(of, field) => {
            let mut fields = vec![*field];
            let mut of = of;
            while let Expression::Selector(inner, field) = &**of {
                fields.push(*field);
                of = inner;
            }
            let Expression::Identifier(name) = **of else {
                return Err(format!("unsupported selector type: {}", of.go_type()));
            };
            fields.push(name);
            fields.reverse();
            Err(format!("{} is not defined", fields.join(".")))
        }
        Expression::Call(function, arguments) => {
            Ok(Term::Call { name: function_name(function)?, arguments })
        }
        other => Err(format!("{} is not supported", other.go_type())),
    }
}

fn function_name(function: &Expression<'_>) -> Result<String, String> {
    match function {
        Expression::Identifier(name) => Ok((*name).to_owned()),
        Expression::Selector(of, field) => match &**of {
            Expression::Identifier(name) => Ok(format!("{name}.{field}")),
            other => Err(format!("expected selector identifier, got: {}", other.go_type())),
        },
        other => Err(format!("expected identifier, got: {}", other.go_type())),
    }
}

fn literal<'e, 'a>(token: &Token<'a>) -> Result<Term<'e, 'a>, String> {
    let text = token.text;
    let refuse = |function: &str, reason: &str| {
        let quoted = quote(text.as_bytes());
        Err(format!(
            "failed to parse argument: {text}, error: strconv.{function}: parsing {quoted}: {reason}"
        ))
    };
    let kind = match token.kind {
        Kind::String => return Ok(Term::Text(unquote(text))),
        Kind::Integer if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
            return refuse("Atoi", "invalid syntax");
        }
        Kind::Integer => {
            return match text.parse() {
                Ok(number) => Ok(Term::Integer(number)),
                Err(_) => refuse("Atoi", "value out of range"),
            };
        }
        Kind::Float => {
            return match float(text) {
                Some(number) if number.is_finite() => Ok(Term::Float(number)),
                Some(_) => refuse("ParseFloat", "value out of range"),
                None => refuse("ParseFloat", "invalid syntax"),
            };
        }
        Kind::Character => "CHAR",
        _ => "IMAG",
    };
    Err(format!("unsupported function argument type: '{kind}'"))
}

/// Reads a number as Go's `ParseFloat`: only hexadecimal ones may have underscores.
fn float(text: &str) -> Option<f64> {
    let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) else {
        return text.parse().ok();
    };
    let digits = digits.replace('_', "");
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let exponent: i32 = exponent.parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    Some(value * 2_f64.powi(exponent.checked_sub(places.checked_mul(4)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go_expression::parse;

    fn check(text: &str, expected: Result<&str, &str>) {
        let expression = parse(text).expect("an expression");
        let told = term(&expression).map(|term| match term {
            Term::Text(text) => format!("text {}", String::from_utf8_lossy(&text)),
            Term::Integer(number) => format!("integer {number}"),
            Term::Float(number) => format!("float {number}"),
            Term::Call { name, arguments } => format!("{name} of {}", arguments.len()),
        });
        assert_eq!(told.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn literals_and_calls_are_terms() {
        check("`a`", Ok("text a"));
        check("042", Ok("integer 42"));
        check("0.25", Ok("float 0.25"));
        check("0x1p-2", Ok("float 0.25"));
        check("0x1_0.8p1", Ok("float 33"));
        check("a.b(1, c)", Ok("a.b of 2"));
    }

    #[test]
    fn all_else_is_refused_with_traefiks_words() {
        check("a", Err("a is not defined"));
        check("a.b.c", Err("a.b.c is not defined"));
        check("a[1]", Err("properties are not supported"));
        check("(a)", Err("*ast.ParenExpr is not supported"));
        check("a()()", Err("expected identifier, got: *ast.CallExpr"));
        check("'a'", Err("unsupported function argument type: 'CHAR'"));
        check(
            "0x10",
            Err("failed to parse argument: 0x10, error: strconv.Atoi: parsing \"0x10\": invalid \
                 syntax"),
        );
        check(
            "1e999",
            Err("failed to parse argument: 1e999, error: strconv.ParseFloat: parsing \"1e999\": \
                 value out of range"),
        );
    }
}
