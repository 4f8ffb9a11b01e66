//! Go's expression grammar, and what Go says when a text is not of it.
//!
//! Far more is an expression than a rule may be: `Host(a) + 1` must be understood to be refused
//! with Traefik's words (by who evaluates it). Types, function literals and composite
//! literals are left out: they are refused here, in words near to Go's.

use super::scanner::{Fault, Kind, Scanner, Token};

/// A Go expression.
#[derive(Debug)]
pub enum Expression<'a> {
    /// Stands where something else was expected; a fault was noted.
    Bad,
    Identifier(&'a str),
    Literal(Token<'a>),
    Parenthesised(Box<Expression<'a>>),
    Unary(&'a str, Box<Expression<'a>>),
    /// Operands joined from left to right by operators of one precedence. Kept flat, so that a
    /// rule of thousands of hosts is not thousands of levels deep.
    Chain(Box<Expression<'a>>, Vec<(&'a str, Expression<'a>)>),
    Call(Box<Expression<'a>>, Vec<Expression<'a>>),
    Selector(Box<Expression<'a>>, &'a str),
    Pointer,
    Index,
    TypeAssertion,
}

impl Expression<'_> {
    /// The name of the node's type in Go, for messages.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Bad => "*ast.BadExpr",
            Self::Identifier(_) => "*ast.Ident",
            Self::Literal(_) => "*ast.BasicLit",
            Self::Parenthesised(_) => "*ast.ParenExpr",
            Self::Unary(..) => "*ast.UnaryExpr",
            Self::Chain(..) => "*ast.BinaryExpr",
            Self::Call(..) => "*ast.CallExpr",
            Self::Selector(..) => "*ast.SelectorExpr",
            Self::Pointer => "*ast.StarExpr",
            Self::Index => "*ast.IndexExpr",
            Self::TypeAssertion => "*ast.TypeAssertExpr",
        }
    }
}

/// Parses a whole text as one expression.
///
/// # Errors
/// As Go writes lists of errors: `1:9: missing ',' in argument list (and 2 more errors)`.
pub fn parse(source: &str) -> Result<Expression<'_>, String> {
    let mut scanner = Scanner::new(source);
    let token = scanner.next_token();
    // Go knows no line that has not a byte.
    let line_ends =
        source.strip_suffix('\n').unwrap_or(source).match_indices('\n').map(|(at, _)| at).collect();
    let mut parser = Parser { source, line_ends, scanner, token, depth: 0, has_given_up: false };
    let expression = parser.expression();
    if parser.token.kind == Kind::Newline {
        parser.advance();
    }
    if parser.token.kind != Kind::EndOfFile {
        parser.fault_expected("'EOF'");
    }
    let faults = parser.scanner.faults;
    if faults.is_empty() { Ok(expression) } else { Err(describe(&parser.line_ends, faults)) }
}

struct Parser<'a> {
    source: &'a str,
    line_ends: Vec<usize>,
    scanner: Scanner<'a>,
    token: Token<'a>,
    depth: usize,
    has_given_up: bool,
}

impl<'a> Parser<'a> {
    fn advance(&mut self) {
        self.token = if self.has_given_up {
            Token { kind: Kind::EndOfFile, text: "", offset: self.source.len() }
        } else {
            self.scanner.next_token()
        };
    }

    /// Notes a fault, unless the one before was on the same line: that one is likely the cause.
    fn fault(&mut self, message: String) {
        let offset = self.token.offset;
        let line = |offset: usize| self.line_ends.partition_point(|end| *end < offset);
        let last = self.scanner.faults.last();
        if self.has_given_up || last.is_some_and(|last| line(last.offset) == line(offset)) {
            return;
        }
        self.scanner.faults.push(Fault { offset, message });
        if self.scanner.faults.len() > FAULTS_MAX {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.has_given_up = true;
        self.advance();
    }

    fn fault_expected(&mut self, expected: &str) {
        let found = match self.token.kind {
            Kind::EndOfFile => "'EOF'".to_owned(),
            Kind::Newline => "newline".to_owned(),
            Kind::Illegal => "'ILLEGAL'".to_owned(),
            Kind::Operator | Kind::Keyword => format!("'{}'", self.token.text),
            _ => self.token.text.replace('\r', ""),
        };
        self.fault(format!("expected {expected}, found {found}"));
    }

    fn expect(&mut self, operator: &str) {
        if !self.token.is(operator) {
            self.fault_expected(&format!("'{operator}'"));
        }
        self.advance();
    }

    /// Counts one level of nesting; `false` when there are too many.
    fn descend(&mut self) -> bool {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.fault("exceeded max nesting depth".to_owned());
            self.give_up();
        }
        self.depth <= DEPTH_MAX
    }

    fn expression(&mut self) -> Expression<'a> {
        self.binary(1)
    }

    fn binary(&mut self, precedence_min: u8) -> Expression<'a> {
        let mut left = self.unary();
        let mut left_precedence = 0;
        loop {
            let operator = self.token.text;
            let precedence = self.precedence();
            if precedence < precedence_min {
                return left;
            }
            if operator == "=" {
                self.expect("==");
            } else {
                self.advance();
            }
            let right = self.binary(precedence + 1);
            left = match left {
                Expression::Chain(first, mut rest) if left_precedence == precedence => {
                    rest.push((operator, right));
                    Expression::Chain(first, rest)
                }
                other => Expression::Chain(Box::new(other), vec![(operator, right)]),
            };
            left_precedence = precedence;
        }
    }

    /// The precedence of the operator at hand; 0: none.
    fn precedence(&self) -> u8 {
        if self.token.kind != Kind::Operator {
            return 0;
        }
        match self.token.text {
            "||" => 1,
            "&&" => 2,
            // `=` for `==` is understood and complained of.
            "==" | "!=" | "<" | "<=" | ">" | ">=" | "=" => 3,
            "+" | "-" | "|" | "^" => 4,
            "*" | "/" | "%" | "<<" | ">>" | "&" | "&^" => 5,
            _ => 0,
        }
    }

    fn unary(&mut self) -> Expression<'a> {
        let operator = self.token.text;
        let is_unary = self.token.kind == Kind::Operator
            && matches!(operator, "+" | "-" | "!" | "^" | "&" | "~" | "<-" | "*");
        if !is_unary {
            return self.primary();
        }
        if !self.descend() {
            return Expression::Bad;
        }
        self.advance();
        let operand = self.unary();
        self.depth -= 1;
        if operator == "*" {
            Expression::Pointer
        } else {
            Expression::Unary(operator, Box::new(operand))
        }
    }

    fn primary(&mut self) -> Expression<'a> {
        let mut expression = self.operand();
        let depth = self.depth;
        while self.token.kind == Kind::Operator && matches!(self.token.text, "." | "[" | "(") {
            if !self.descend() {
                return Expression::Bad;
            }
            expression = match self.token.text {
                "." => self.selector(expression),
                "[" => {
                    self.advance();
                    self.expression();
                    self.expect("]");
                    Expression::Index
                }
                _ => self.call(expression),
            };
        }
        self.depth = depth;
        expression
    }

    fn operand(&mut self) -> Expression<'a> {
        let token = self.token;
        match token.kind {
            Kind::Identifier => {
                self.advance();
                Expression::Identifier(token.text)
            }
            Kind::Integer | Kind::Float | Kind::Imaginary | Kind::Character | Kind::String => {
                self.advance();
                Expression::Literal(token)
            }
            Kind::Operator if token.text == "(" => {
                if !self.descend() {
                    return Expression::Bad;
                }
                self.advance();
                let inside = self.expression();
                self.expect(")");
                self.depth -= 1;
                Expression::Parenthesised(Box::new(inside))
            }
            _ => {
                self.fault_expected("operand");
                self.skip_to_statement();
                Expression::Bad
            }
        }
    }

    /// Goes on where a statement could begin: Go's way of finding the next fault.
    fn skip_to_statement(&mut self) {
        while self.token.kind != Kind::EndOfFile
            && !(self.token.kind == Kind::Keyword && STATEMENTS.contains(&self.token.text))
        {
            self.advance();
        }
    }

    fn selector(&mut self, of: Expression<'a>) -> Expression<'a> {
        self.advance();
        let field = self.token.text;
        if self.token.kind == Kind::Identifier {
            self.advance();
            return Expression::Selector(Box::new(of), field);
        }
        if self.token.is("(") {
            self.advance();
            if self.token.kind == Kind::Keyword && self.token.text == "type" {
                self.advance();
            } else {
                self.expression();
            }
            self.expect(")");
            return Expression::TypeAssertion;
        }
        self.fault_expected("selector or type assertion");
        if !self.token.is("}") {
            self.advance();
        }
        Expression::Selector(Box::new(of), "_")
    }

    fn call(&mut self, function: Expression<'a>) -> Expression<'a> {
        self.advance();
        let mut arguments = Vec::new();
        while !self.token.is(")") && self.token.kind != Kind::EndOfFile {
            arguments.push(self.expression());
            let is_last = self.token.is("...");
            if is_last {
                self.advance();
            }
            if !self.is_at_comma() {
                break;
            }
            self.advance();
            if is_last {
                break;
            }
        }
        if self.token.kind == Kind::Newline {
            self.fault("missing ',' before newline in argument list".to_owned());
            self.advance();
        }
        self.expect(")");
        Expression::Call(Box::new(function), arguments)
    }

    /// A missing comma is complained of and taken as there.
    fn is_at_comma(&mut self) -> bool {
        if self.token.is(",") {
            return true;
        }
        if self.token.is(")") {
            return false;
        }
        let before = if self.token.kind == Kind::Newline { " before newline" } else { "" };
        self.fault(format!("missing ','{before} in argument list"));
        true
    }
}

fn describe(line_ends: &[usize], faults: Vec<Fault>) -> String {
    let count = faults.len();
    let Some(first) = faults
        .into_iter()
        .min_by(|one, two| one.offset.cmp(&two.offset).then_with(|| one.message.cmp(&two.message)))
    else {
        return String::new();
    };
    // Both from 1; columns count bytes.
    let lines_before = line_ends.partition_point(|end| *end < first.offset);
    let line_start = lines_before.checked_sub(1).map_or(0, |before| line_ends[before] + 1);
    let (line, column) = (lines_before + 1, first.offset - line_start + 1);
    let more = match count {
        1 => String::new(),
        count => format!(" (and {} more errors)", count - 1),
    };
    format!("{line}:{column}: {}{more}", first.message)
}

/// Go gives up at the eleventh.
const FAULTS_MAX: usize = 10;
/// No rule that people write comes near; deeper ones could exhaust the stack. Go: 100,000.
const DEPTH_MAX: usize = 250;

const STATEMENTS: &[&str] = &[
    "break",
    "const",
    "continue",
    "defer",
    "fallthrough",
    "for",
    "go",
    "goto",
    "if",
    "return",
    "select",
    "switch",
    "type",
    "var",
];
