//! An API may take tokens only that are meant for it.

use crate::fault::Fault;
use crate::table::CompiledApi;

use super::authenticate::Caller;

pub fn check(api: &CompiledApi, caller: &Caller) -> Result<(), Fault> {
    let (Some(audiences), Caller::Token(token)) = (&api.audiences, caller) else { return Ok(()) };
    if audiences.contains(&token.claims.aud) { Ok(()) } else { Err(Fault::AudienceMismatch) }
}
