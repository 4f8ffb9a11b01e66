//! hot path
//!
//! `Query` of v2: templates `name=value`, or names and values in turn, all of which must match the
//! first value of their parameter.

use config::go_regex::GoRegex;

use crate::rule::View;
use crate::rule::go_text::{quote, readable};
use crate::rule::matchers::v2::template::{Subject, Template};
use crate::rule::matchers::{Definition, Match, v2};

pub(super) const DEFINITION: Definition = Definition { name: "Query", argument_counts: &[], build };

fn build(arguments: &[Vec<u8>]) -> Result<Box<dyn Match>, String> {
    let parts: Vec<Vec<u8>> = arguments
        .iter()
        .flat_map(|argument| argument.splitn(2, |byte| *byte == b'=').map(<[u8]>::to_vec))
        .collect();
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut variables: Vec<String> = Vec::new();
    for (name, value) in v2::pairs(&parts)? {
        let text = [name, b"=", value].concat();
        let template = Template::parse(&text)?;
        let regex = template.compile(Subject::Query)?;
        let names: Vec<String> = template.variable_names().map(str::to_owned).collect();
        if let Some(twice) = names.iter().find(|name| variables.contains(name)) {
            return Err(format!("mux: duplicated route variable {}", quote(twice.as_bytes())));
        }
        variables.extend(names);
        // The template is cut anew: a name may itself have an equals sign.
        let name = text.split(|byte| *byte == b'=').next().unwrap_or_default();
        parameters.push(Parameter { name: name.into(), regex });
    }
    Ok(Box::new(Query { parameters }))
}

struct Query {
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: Box<[u8]>,
    regex: GoRegex,
}

impl Match for Query {
    fn matches(&self, view: &View<'_>) -> bool {
        self.parameters.iter().all(|parameter| {
            // Allocates: the pattern is for name and value in one. v2 is for migration.
            let subject = match view.query_values(&parameter.name).next() {
                Some(value) => [&*parameter.name, b"=", value].concat(),
                None => Vec::new(),
            };
            parameter.regex.is_match(&readable(&subject))
        })
    }
}
