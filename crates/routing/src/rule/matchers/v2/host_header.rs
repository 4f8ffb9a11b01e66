//! `HostHeader`: another name for `Host` of v2, which contributes no domains to TLS.

use crate::rule::matchers::{Definition, v2::host};

pub(super) const DEFINITION: Definition =
    Definition { name: "HostHeader", argument_counts: &[], build: host::build };
