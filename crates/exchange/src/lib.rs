//! One request and its response in flight, and the middleware traits.
