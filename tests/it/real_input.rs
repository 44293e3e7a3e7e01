//! Definitions from the real world, which nobody here wrote.

mod examples;
mod github;
