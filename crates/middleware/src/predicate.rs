//! Conditions as users write them in `circuitBreaker` and `buffering`: Go expressions of
//! comparisons, joined by `&&` and `||`.
//!
//! The order of checks and the words are those of vulcand/predicate and of the two languages that
//! Traefik reads with it, Go's reflection included.

use config::go_expression::{self, Expression, Term};

/// What may be measured in a language, and how its functions are called.
pub(crate) trait Language: Sized {
    /// Go's name of the package, for messages.
    const PACKAGE: &'static str;
    /// Whether refusals of operators name the operator.
    const NAMES_OPERATORS: bool;

    /// Finds a function.
    fn function(name: &str) -> Option<Function<Self>>;

    /// What measuring it gives.
    fn kind(&self) -> Kind;
}

/// A function of a language: its parameters, and what makes it of as many arguments.
pub(crate) struct Function<L> {
    pub(crate) parameters: &'static [Parameter],
    pub(crate) make: fn(&[Number]) -> L,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parameter {
    Integer,
    Float,
}

/// An argument, as its parameter wants it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Integer,
    Text,
    /// True or false, and so a predicate by itself.
    Truth,
}

/// A condition over what a language measures.
#[derive(Debug, PartialEq)]
pub(crate) enum Predicate<L> {
    Is(L),
    Compare { measured: L, operator: Operator, with: Literal },
    All(Vec<Predicate<L>>),
    Any(Vec<Predicate<L>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Float(f64),
    Integer(i64),
    Text(Vec<u8>),
}

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measured<'m> {
    Float(f64),
    Integer(i64),
    Text(&'m str),
    Truth(bool),
}

impl<L: Language> Predicate<L> {
    /// Reads a condition.
    ///
    /// # Errors
    /// In the words of Traefik.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match evaluate(&go_expression::parse(text)?)? {
            Value::Predicate(predicate) => Ok(predicate),
            other => Err(format!("expected predicate, got {}", other.go_type())),
        }
    }

    /// Joins two, long lists of them without going deeper.
    fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut parts) => {
                parts.push(other);
                Self::All(parts)
            }
            first => Self::All(vec![first, other]),
        }
    }

    fn or(self, other: Self) -> Self {
        match self {
            Self::Any(mut parts) => {
                parts.push(other);
                Self::Any(parts)
            }
            first => Self::Any(vec![first, other]),
        }
    }

    /// Tells whether it holds.
    pub(crate) fn holds<'m>(&self, measure: &impl Fn(&L) -> Measured<'m>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(measure)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(measure)),
            Self::Is(measured) => measure(measured) == Measured::Truth(true),
            Self::Compare { measured, operator, with } => {
                let order = match (measure(measured), with) {
                    (Measured::Float(measured), Literal::Float(with)) => measured.partial_cmp(with),
                    (Measured::Integer(measured), Literal::Integer(with)) => {
                        Some(measured.cmp(with))
                    }
                    (Measured::Text(measured), Literal::Text(with)) => {
                        Some(measured.as_bytes().cmp(with))
                    }
                    _ => None,
                };
                order.is_some_and(|order| match operator {
                    Operator::Equal => order.is_eq(),
                    Operator::NotEqual => order.is_ne(),
                    Operator::Less => order.is_lt(),
                    Operator::LessOrEqual => order.is_le(),
                    Operator::Greater => order.is_gt(),
                    Operator::GreaterOrEqual => order.is_ge(),
                })
            }
        }
    }

    /// Tells whether anything measured is such.
    pub(crate) fn measures(&self, is_such: fn(&L) -> bool) -> bool {
        match self {
            Self::Is(measured) | Self::Compare { measured, .. } => is_such(measured),
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.measures(is_such)),
        }
    }
}

/// What a part of a condition comes to.
enum Value<L> {
    Predicate(Predicate<L>),
    Measured(L),
    Literal(Literal),
}

impl<L: Language> Value<L> {
    fn go_type(&self) -> String {
        let name = match self {
            Self::Literal(Literal::Float(_)) => return "float64".to_owned(),
            Self::Literal(Literal::Integer(_)) => return "int".to_owned(),
            Self::Literal(Literal::Text(_)) => return "string".to_owned(),
            Self::Predicate(_) => "hpredicate",
            Self::Measured(measured) => match measured.kind() {
                Kind::Float => "toFloat64",
                Kind::Integer => "toInt",
                Kind::Text => "toString",
                Kind::Truth => "hpredicate",
            },
        };
        format!("{}.{name}", L::PACKAGE)
    }

    fn into_predicate(self) -> Result<Predicate<L>, String> {
        match self {
            Self::Predicate(predicate) => Ok(predicate),
            other => Err(format!(
                "reflect: cannot use {} as type {}.hpredicate in Call",
                other.go_type(),
                L::PACKAGE
            )),
        }
    }
}

/// Goes as deep as the parser let the expression be.
fn evaluate<L: Language>(expression: &Expression<'_>) -> Result<Value<L>, String> {
    match expression {
        Expression::Parenthesised(inside) => evaluate(inside),
        Expression::Unary(operator, _) => Err(format!("{operator} is not supported")),
        Expression::Chain(first, rest) => {
            rest.iter().try_fold(evaluate(first)?, |left, (operator, right)| {
                join(left, operator, evaluate(right)?)
            })
        }
        other => evaluate_term(other),
    }
}

fn join<L: Language>(left: Value<L>, operator: &str, right: Value<L>) -> Result<Value<L>, String> {
    let operator = match operator {
        "&&" => {
            let joined = left.into_predicate()?.and(right.into_predicate()?);
            return Ok(Value::Predicate(joined));
        }
        "||" => {
            let joined = left.into_predicate()?.or(right.into_predicate()?);
            return Ok(Value::Predicate(joined));
        }
        "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        other => return Err(format!("{other} is not supported")),
    };
    let with = compare(&left, operator, &right)?;
    match left {
        Value::Measured(measured) => {
            Ok(Value::Predicate(Predicate::Compare { measured, operator, with }))
        }
        other => Err(format!("unsupported argument: {}", other.go_type())),
    }
}

/// Tells what is compared with, if the operator is one for both sides.
fn compare<L: Language>(
    left: &Value<L>,
    operator: Operator,
    right: &Value<L>,
) -> Result<Literal, String> {
    let name = match operator {
        Operator::Equal | Operator::NotEqual => "eq",
        Operator::Less | Operator::LessOrEqual => "lt",
        Operator::Greater | Operator::GreaterOrEqual => "gt",
    };
    let kind = match left {
        Value::Measured(measured) => measured.kind(),
        _ => Kind::Truth,
    };
    let is_ordered = matches!(kind, Kind::Float | Kind::Integer);
    if kind == Kind::Truth || (!is_ordered && name != "eq") {
        let prefix = if L::NAMES_OPERATORS { format!("{name}: ") } else { String::new() };
        return Err(format!("{prefix}unsupported argument: {}", left.go_type()));
    }
    match (kind, right) {
        (Kind::Float, Value::Literal(literal @ Literal::Float(_)))
        | (Kind::Integer, Value::Literal(literal @ Literal::Integer(_)))
        | (Kind::Text, Value::Literal(literal @ Literal::Text(_))) => Ok(literal.clone()),
        (Kind::Text, other) => Err(format!("expected string, got {}", other.go_type())),
        // Traefik: says `int` also where it wants a float.
        (_, other) => Err(format!("expected int, got {}", other.go_type())),
    }
}

fn evaluate_term<L: Language>(expression: &Expression<'_>) -> Result<Value<L>, String> {
    let (name, arguments) = match go_expression::term(expression)? {
        Term::Text(text) => return Ok(Value::Literal(Literal::Text(text))),
        Term::Integer(number) => return Ok(Value::Literal(Literal::Integer(number))),
        Term::Float(number) => return Ok(Value::Literal(Literal::Float(number))),
        Term::Call { name, arguments } => (name, arguments),
    };
    let function = L::function(&name).ok_or_else(|| format!("unsupported function: {name}"))?;
    let arguments: Vec<Value<L>> = arguments.iter().map(evaluate_term).collect::<Result<_, _>>()?;
    if arguments.len() > function.parameters.len() {
        return Err("reflect: Call with too many input arguments".to_owned());
    }
    if arguments.len() < function.parameters.len() {
        return Err("reflect: Call with too few input arguments".to_owned());
    }
    let numbers = function.parameters.iter().zip(&arguments);
    let numbers: Vec<Number> = numbers
        .map(|(parameter, argument)| match (parameter, argument) {
            (Parameter::Integer, Value::Literal(Literal::Integer(number))) => {
                Ok(Number::Integer(*number))
            }
            (Parameter::Float, Value::Literal(Literal::Float(number))) => {
                Ok(Number::Float(*number))
            }
            (Parameter::Integer, other) => {
                Err(format!("reflect: Call using {} as type int", other.go_type()))
            }
            (Parameter::Float, other) => {
                Err(format!("reflect: Call using {} as type float64", other.go_type()))
            }
        })
        .collect::<Result<_, _>>()?;
    let made = (function.make)(&numbers);
    Ok(match made.kind() {
        Kind::Truth => Value::Predicate(Predicate::Is(made)),
        _ => Value::Measured(made),
    })
}
