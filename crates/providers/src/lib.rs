//! Where dynamic configuration comes from: one folder each.
