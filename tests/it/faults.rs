//! What must not be lost when things go wrong.

mod concurrent_publishers;
mod kill_nine;
mod starting_together;
