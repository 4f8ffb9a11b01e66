//! The rule language, the index over routers, and compile(): configuration to Snapshot.
