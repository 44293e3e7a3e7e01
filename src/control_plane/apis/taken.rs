//! `POST /apis/validate`: is a name or a context taken?

use domain::Failure;
use domain::name::ApiContext;
use domain::oauth::Principal;
use store::apim::apis;

use crate::ControlPlane;

/// What somebody may want to use for a new API or version.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    pub name: Option<String>,
    /// With or without the version at its end.
    pub context: Option<String>,
    pub version: Option<String>,
}

impl ControlPlane {
    /// Whether an API of the caller's organization has all that is named.
    ///
    /// # Errors
    /// 400 when neither a name nor a context is given.
    pub async fn is_taken(&self, caller: &Principal, wish: Taken) -> Result<bool, Failure> {
        if wish.name.is_none() && wish.context.is_none() {
            return Err(Failure::invalid("query", "name an API with name: or a context with context:"));
        }
        let organization = caller.organization.clone();
        // What is no context can be nobody's.
        let parse = |text| ApiContext::parse(text).and_then(|context| context.within(&organization));
        let context = match wish.context.as_deref().map(parse) {
            Some(Err(_)) => return Ok(false),
            Some(Ok(context)) => Some(context.as_str().to_owned()),
            None => None,
        };
        self.apim()
            .read(move |conn| {
                let candidates = match (&wish.name, &context) {
                    (Some(name), _) => apis::list_by_name(conn, &organization, name)?,
                    (None, Some(context)) => {
                        let mut found = apis::list_by_context(conn, &organization, context)?;
                        found.extend(apis::find_by_full_context(conn, &organization, context)?);
                        found
                    }
                    (None, None) => Vec::new(),
                };
                Ok(candidates.iter().any(|api| {
                    let full_context = api.full_context();
                    wish.version.as_deref().is_none_or(|version| api.version.as_str() == version)
                        && context
                            .as_deref()
                            .is_none_or(|context| api.context.as_str() == context || full_context == context)
                }))
            })
            .await
    }
}
