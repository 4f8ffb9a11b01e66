//! One file per middleware, and build().
