//! The words after a command: `--flag value` or `--flag=value`, lists and numbers.

use anyhow::{Context, bail};

/// Reads options one after the other.
pub(crate) struct Words<'a> {
    rest: std::slice::Iter<'a, String>,
}

/// One option. Its value is taken only if the option wants one.
pub(crate) struct Word<'a, 'b> {
    pub(crate) flag: &'a str,
    inline: Option<&'a str>,
    rest: &'b mut std::slice::Iter<'a, String>,
}

impl<'a> Words<'a> {
    pub(crate) fn new(args: &'a [String]) -> Self {
        Self { rest: args.iter() }
    }

    /// The next option.
    pub(crate) fn next(&mut self) -> Option<Word<'a, '_>> {
        let word = self.rest.next()?;
        let (flag, inline) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word.as_str(), None),
        };
        Some(Word { flag, inline, rest: &mut self.rest })
    }
}

impl<'a> Word<'a, '_> {
    /// Tells whether the user asks what there is to ask for.
    pub(crate) fn asks_for_help(&self) -> bool {
        matches!(self.flag, "--help" | "-h")
    }

    /// The option's value.
    pub(crate) fn value(self) -> anyhow::Result<&'a str> {
        self.inline
            .or_else(|| self.rest.next().map(String::as_str))
            .with_context(|| format!("option {}: a value is missing", self.flag))
    }

    /// The option's value, a number from 1 to `max`.
    pub(crate) fn number(self, max: u64) -> anyhow::Result<u64> {
        let flag = self.flag;
        let value = self.value()?;
        match value.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ => bail!("option {flag}: {value:?} is not a number from 1 to {max}"),
        }
    }

    /// The option's value, names parted by commas; `usage` explains which there are.
    pub(crate) fn list<T: PartialEq>(
        self,
        what: &str,
        usage: &str,
        from_name: impl Fn(&str) -> Option<T>,
    ) -> anyhow::Result<Vec<T>> {
        let value = self.value()?;
        let mut found = Vec::new();
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let item =
                from_name(name).with_context(|| format!("unknown {what} {name:?}\n{usage}"))?;
            if !found.contains(&item) {
                found.push(item);
            }
        }
        if found.is_empty() {
            bail!("no {what} named in {value:?}");
        }
        Ok(found)
    }
}
