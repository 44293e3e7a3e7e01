//! `BlockConditions`.

use serde::Serialize;

/// All empty as long as there are no deny policies.
#[derive(Debug, Default, Serialize)]
pub struct BlockConditionsDto {
    api: [(); 0],
    application: [(); 0],
    ip: [(); 0],
    user: [(); 0],
    custom: [(); 0],
    subscription: [(); 0],
}
