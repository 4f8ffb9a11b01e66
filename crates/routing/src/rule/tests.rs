//! What Traefik 3.7.15 answered to the same rules and requests.

mod matching;
mod refusals;
