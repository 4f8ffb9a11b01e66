//! Upstreams, certificates and scenarios for tests. Development only.
