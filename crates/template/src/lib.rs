//! Go's text/template with the functions Traefik gives its dynamic files.
//!
//! One call, [`render`], turns the text of a dynamic configuration file into the text that is then
//! decoded as YAML or TOML. The engine is `gtmpl-ng`; [`functions`] adds sprig v3.2.3 plus Traefik's
//! `normalize` and `split`, and [`source`] bridges the places where the engine's values differ from
//! Go's. Traefik renders with the data `false`, so a field such as `{{ .x }}` is an error.
//!
//! A render is bounded in output, iterations, nesting and time: a template cannot hang the proxy.
//! This crate must not know about providers, files or the configuration model.

mod functions;
mod go_time;
mod go_url;
mod source;
mod value;

use std::time::Duration;

use gtmpl_ng::{Context, ErrorContext, ExecError, Limits, ParseError, Template};

use crate::source::Prepared;

pub use crate::functions::{UNSUPPORTED, names};

/// Bytes that one render may write.
pub const OUTPUT_BYTES_LIMIT: usize = 64 << 20;

/// Iterations that one `range` over a number, or one generated list, may have.
const ITERATIONS_LIMIT: usize = 1_000_000;

/// Iterations and `template` calls that one render may have in total.
const TOTAL_ITERATIONS_LIMIT: usize = 10_000_000;

/// Size that one function result may have: bytes of strings plus elements of containers.
const FUNCTION_OUTPUT_LIMIT: usize = 16 << 20;

/// Time that one render may take; a single function call is not interrupted.
const RENDER_TIME_LIMIT: Duration = Duration::from_secs(60);

/// A template that could not be parsed or executed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", position(.line, .column))]
pub struct Error {
    /// Line of the fault in the source, from 1; absent when the fault has no place.
    pub line: Option<u32>,
    /// Column of the fault in characters, from 1.
    pub column: Option<u32>,
    /// What went wrong.
    pub message: String,
}

/// Renders the template `source` with Traefik's functions and the data `false`.
///
/// `name` is the name of the root template, as `{{ template "name" }}` would see it.
pub fn render(name: &str, source: &str) -> Result<String, Error> {
    let prepared = source::prepare(source).map_err(|fault| {
        let (line, column) = line_and_column(source, fault.offset);
        Error { line, column, message: fault.message.to_owned() }
    })?;
    let mut template = Template::with_name(name);
    template.limits = Limits::default()
        .with_iterations(ITERATIONS_LIMIT)
        .with_total_iterations(TOTAL_ITERATIONS_LIMIT)
        .with_output_bytes(OUTPUT_BYTES_LIMIT)
        .with_function_output(FUNCTION_OUTPUT_LIMIT)
        .with_deadline(RENDER_TIME_LIMIT);
    functions::register(&mut template);
    template
        .parse(prepared.text.as_str())
        .map_err(|error| parse_error(&prepared, source, error))?;
    template
        .render(&Context::from(false))
        .map_err(|error| execution_error(&prepared, source, error))
}

/// Reports whether `source` has any template action, that is, whether rendering can change it.
pub fn needs_rendering(source: &str) -> bool {
    source.contains("{{")
}

fn parse_error(prepared: &Prepared, source: &str, error: ParseError) -> Error {
    match error {
        ParseError::WithContext(context, message) => locate(prepared, source, &context, message),
        other => Error { line: None, column: None, message: other.to_string() },
    }
}

fn execution_error(prepared: &Prepared, source: &str, error: ExecError) -> Error {
    match error {
        ExecError::Structured(structured) => {
            locate(prepared, source, &structured.context, structured.message)
        }
        other => Error { line: None, column: None, message: other.to_string() },
    }
}

/// Translates a position in the prepared text to one in the source the user wrote.
fn locate(prepared: &Prepared, source: &str, context: &ErrorContext, message: String) -> Error {
    let line_start = match context.line {
        0 | 1 => 0,
        line => prepared
            .text
            .match_indices('\n')
            .nth(line - 2)
            .map_or(prepared.text.len(), |(index, _)| index + 1),
    };
    let offset = prepared.source_offset(line_start + context.col.saturating_sub(1));
    let (line, column) = line_and_column(source, offset);
    Error { line, column, message }
}

/// The line and the column in characters, both from 1, of a byte of the source.
fn line_and_column(source: &str, offset: usize) -> (Option<u32>, Option<u32>) {
    let before = &source[..source.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).ok(), u32::try_from(column).ok())
}

fn position(line: &Option<u32>, column: &Option<u32>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        (Some(line), None) => format!("line {line}: "),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
