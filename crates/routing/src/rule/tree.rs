//! From a Go expression to a tree of known matchers; refuses all that is not `Name("…")`, `&&`,
//! `||`, `!` and parentheses.
//!
//! The order of checks and the words are those of vulcand/predicate, through which Traefik reads
//! rules, including those of Go's reflection for misplaced values.

use config::go_expression::{self, Expression, Term};

use crate::rule::Syntax;
use crate::rule::matchers::{self, Definition};

/// A rule before its matchers are built.
pub(super) enum Tree {
    Leaf { definition: &'static Definition, arguments: Vec<Vec<u8>> },
    Not(Box<Tree>),
    Join { operator: Operator, operands: Vec<Tree> },
}

/// How operands are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
}

impl Operator {
    /// The operator by which De Morgan's laws replace this one.
    pub(super) fn inverted(self) -> Self {
        match self {
            Self::And => Self::Or,
            Self::Or => Self::And,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

impl Tree {
    /// Adds the arguments of all `Host` matchers, negated or not.
    pub(super) fn collect_hosts(&self, hosts: &mut Vec<String>) {
        match self {
            Self::Leaf { definition, arguments } if definition.name == "Host" => {
                hosts.extend(
                    arguments
                        .iter()
                        .map(|argument| String::from_utf8_lossy(argument).to_ascii_lowercase()),
                );
            }
            Self::Leaf { .. } => {}
            Self::Not(inside) => inside.collect_hosts(hosts),
            Self::Join { operands, .. } => {
                operands.iter().for_each(|operand| operand.collect_hosts(hosts));
            }
        }
    }
}

/// What an expression comes to.
pub(super) enum Value {
    Tree(Tree),
    Text(Vec<u8>),
    Integer,
    Float,
}

impl Value {
    fn go_type(&self) -> &'static str {
        match self {
            Self::Tree(_) => "rules.TreeBuilder",
            Self::Text(_) => "string",
            Self::Integer => "int",
            Self::Float => "float64",
        }
    }

    fn into_tree(self) -> Result<Tree, String> {
        match self {
            Self::Tree(tree) => Ok(tree),
            other => {
                Err(format!("reflect: Call using {} as type rules.TreeBuilder", other.go_type()))
            }
        }
    }

    fn into_text(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(format!("reflect: cannot use {} as type string in Call", other.go_type())),
        }
    }
}

/// Evaluates an expression as a rule of the given syntax.
///
/// # Errors
/// The reason in Traefik's words, without the rule.
pub(super) fn evaluate(expression: &Expression<'_>, syntax: Syntax) -> Result<Value, String> {
    match expression {
        Expression::Parenthesised(inside) => evaluate(inside, syntax),
        Expression::Unary(operator, operand) => {
            if *operator != "!" {
                return Err(format!("{operator} is not supported"));
            }
            let operand = evaluate(operand, syntax)?.into_tree()?;
            Ok(Value::Tree(Tree::Not(Box::new(operand))))
        }
        Expression::Chain(first, rest) => evaluate_chain(first, rest, syntax),
        other => evaluate_term(other, syntax),
    }
}

fn evaluate_chain(
    first: &Expression<'_>,
    rest: &[(&str, Expression<'_>)],
    syntax: Syntax,
) -> Result<Value, String> {
    let mut first = Some(evaluate(first, syntax)?);
    let mut operands = Vec::with_capacity(rest.len() + 1);
    let mut joined = Operator::And;
    for (operator, right) in rest {
        let right = evaluate(right, syntax)?;
        joined = match *operator {
            "&&" => Operator::And,
            "||" => Operator::Or,
            other => return Err(format!("{other} is not supported")),
        };
        if let Some(first) = first.take() {
            operands.push(first.into_tree()?);
        }
        operands.push(right.into_tree()?);
    }
    Ok(Value::Tree(Tree::Join { operator: joined, operands }))
}

fn evaluate_term(expression: &Expression<'_>, syntax: Syntax) -> Result<Value, String> {
    Ok(match go_expression::term(expression)? {
        Term::Text(text) => Value::Text(text),
        Term::Integer(_) => Value::Integer,
        Term::Float(_) => Value::Float,
        Term::Call { name, arguments } => {
            let definition = matchers::find(&name, syntax)
                .ok_or_else(|| format!("unsupported function: {name}"))?;
            let arguments = arguments
                .iter()
                .map(|argument| evaluate_term(argument, syntax))
                .collect::<Result<Vec<_>, _>>()?;
            let arguments =
                arguments.into_iter().map(Value::into_text).collect::<Result<_, _>>()?;
            Value::Tree(Tree::Leaf { definition, arguments })
        }
    })
}
