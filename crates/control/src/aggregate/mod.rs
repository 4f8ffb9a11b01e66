//! From what providers say to one configuration: names qualified, defaults set, entry points'
//! models applied, the program's own objects added.

mod frame;
mod internal;
mod merge;
mod models;
mod objects;
#[cfg(test)]
mod tests;

pub(crate) use self::frame::Frame;
pub(crate) use self::internal::{INTERNAL, services as internal_services};
pub(crate) use self::merge::{Merged, merge};
pub(crate) use self::objects::{Id, Previous, provider_of, qualify};
