//! One call as policies look at it.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use domain::application::KeyType;
use domain::runtime::GatewayOperation;
use domain::throttling::custom_rule::{ANONYMOUS, Facts, Variable};
use hyper::header::HeaderMap;
use security::jwt::AuthorizedUserType;

use crate::filters::authenticate::Caller;
use crate::filters::subscription::{Access, Plan};
use crate::table::{CallFacts, CompiledApi};

/// The address under which the original's backend token puts its claims.
const CLAIM_DIALECT: &str = "http://wso2.org/claims/";

/// Everything that is known once a call has a caller with a right to call.
#[derive(Clone, Copy)]
pub struct CallView<'a> {
    pub api: &'a CompiledApi,
    pub operation: &'a GatewayOperation,
    /// `<template>:<VERB>`.
    pub operation_key: &'a Arc<str>,
    pub access: &'a Access,
    pub caller: &'a Caller,
    pub client: IpAddr,
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
}

impl CallView<'_> {
    /// `user@tenant`; a token of the application itself stands for its owner, and without credentials there is nobody.
    #[must_use]
    pub fn user(&self) -> Option<Arc<str>> {
        match self.caller {
            Caller::Token(token) if token.claims.aut == AuthorizedUserType::ApplicationUser => {
                Some(Arc::clone(&token.subject))
            }
            Caller::ApiKey(own) => Some(Arc::clone(&own.user)),
            _ => self.access.consumer.as_ref().map(|consumer| Arc::clone(&consumer.owner)),
        }
    }
}

impl Facts for CallView<'_> {
    fn text(&self, variable: Variable) -> Cow<'_, str> {
        let document = &self.api.document;
        let application = self.access.consumer.as_ref().map(|consumer| &consumer.application);
        match variable {
            Variable::ResourceKey => format!("{}{}", document.context, self.operation_key).into(),
            Variable::UserId => self.user().map_or(ANONYMOUS.into(), |user| user.to_string().into()),
            Variable::ApiContext => document.context.as_str().into(),
            Variable::ApiVersion => document.version.as_str().into(),
            Variable::AppTenant => application.map_or("", |own| own.organization.as_str()).into(),
            Variable::ApiTenant => document.organization.as_str().into(),
            Variable::AppId => application.map_or_else(String::new, |own| own.id.to_string()).into(),
            Variable::ClientIp => self.client.to_string().into(),
        }
    }

    fn client(&self) -> IpAddr {
        self.client
    }
}

impl CallFacts for CallView<'_> {
    fn headers(&self) -> &HeaderMap {
        self.headers
    }

    fn query(&self) -> Option<&str> {
        self.query
    }

    fn client(&self) -> IpAddr {
        self.client
    }

    fn claim(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(name) = name.strip_prefix(CLAIM_DIALECT) {
            return self.backend_claim(name);
        }
        let Caller::Token(token) = self.caller else { return None };
        let claims = &token.claims;
        let text = match name {
            "iss" => &claims.iss,
            "sub" => &claims.sub,
            "aud" => &claims.aud,
            "azp" => &claims.azp,
            "client_id" => &claims.client_id,
            "scope" => &claims.scope,
            "jti" => &claims.jti,
            _ => return None,
        };
        Some(text.as_str().into())
    }
}

impl CallView<'_> {
    /// What a token for back ends says of the call.
    fn backend_claim(&self, name: &str) -> Option<Cow<'_, str>> {
        let document = &self.api.document;
        let application = self.access.consumer.as_ref().map(|consumer| &consumer.application);
        Some(match name {
            "apicontext" => document.context.as_str().into(),
            "apiname" => document.name.as_str().into(),
            "version" => document.version.as_str().into(),
            "applicationid" => application?.id.to_string().into(),
            "applicationname" => application?.name.as_str().into(),
            "applicationtier" => application?.throttling_policy.as_str().into(),
            "subscriber" => application?.owner.as_str().into(),
            "enduser" => self.user()?.to_string().into(),
            "keytype" => match self.access.key_type {
                KeyType::Production => "PRODUCTION".into(),
                KeyType::Sandbox => "SANDBOX".into(),
            },
            "tier" => match &self.access.plan {
                Plan::Subscribed(own) => own.tier.to_string().into(),
                _ => return None,
            },
            _ => return None,
        })
    }
}
