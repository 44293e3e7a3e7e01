//! Production keys reach the production back end, sandbox keys the sandbox.

use domain::application::KeyType;

use crate::fault::Fault;
use crate::table::{Backend, CompiledApi};

pub fn choose(api: &CompiledApi, key_type: KeyType) -> Result<&Backend, Fault> {
    if let Some(backend) = api.backend(key_type) {
        return Ok(backend);
    }
    let has_other = api.production.is_some() || api.sandbox.is_some();
    Err(if has_other { Fault::NoEndpointFor(key_type) } else { Fault::NoEndpoint })
}
