//! Every type a user can write, and how files, flags and variables become one.
