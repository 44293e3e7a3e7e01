//! What must not be lost when things go wrong. `make chaos` runs these with as many faults as the product promises to
//! survive, `make test` with a sample of them.

mod carbon_store;
mod clock;
mod concurrent_publishers;
mod cut_off;
mod dead_nodes;
mod dead_traffic_managers;
mod disk;
mod kill_nine;
mod rolling_restart;
mod site;
mod starting_together;
