//! One node for each profile: what each has and has not, who may call whom, and what happens when one is missing.

mod acknowledgements;
mod environments;
mod joining;
mod leases;
mod strangers;
mod surfaces;
mod token_proxy;
