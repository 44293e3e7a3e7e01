//! Key templates: which calls are counted together.

use std::borrow::Cow;
use std::net::IpAddr;

/// Text of [`Variable::UserId`] of calls without a token.
pub const ANONYMOUS: &str = "anonymous";

/// What a template or an expression can name of a call (WSO2's key template attributes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable {
    /// `<context>/<version><resource>:<VERB>`.
    ResourceKey,
    /// `user@tenant`; [`ANONYMOUS`] without a token.
    UserId,
    /// Path with the version.
    ApiContext,
    ApiVersion,
    /// Tenant of the application; empty without one.
    AppTenant,
    ApiTenant,
    /// Id of the application; empty without one.
    AppId,
    ClientIp,
}

impl Variable {
    pub const ALL: [Self; 8] = [
        Self::ResourceKey,
        Self::UserId,
        Self::ApiContext,
        Self::ApiVersion,
        Self::AppTenant,
        Self::ApiTenant,
        Self::AppId,
        Self::ClientIp,
    ];

    /// The name after the dollar sign.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ResourceKey => "resourceKey",
            Self::UserId => "userId",
            Self::ApiContext => "apiContext",
            Self::ApiVersion => "apiVersion",
            Self::AppTenant => "appTenant",
            Self::ApiTenant => "apiTenant",
            Self::AppId => "appId",
            Self::ClientIp => "clientIp",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|variable| variable.name() == name)
    }

    /// All names, for messages.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(|variable| format!("${}", variable.name())).join(", ")
    }
}

/// What is known of a call.
pub trait Facts {
    fn text(&self, variable: Variable) -> Cow<'_, str>;
    fn client(&self) -> IpAddr;
}

/// A text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("'${name}' is no variable; there are {}", Variable::names())]
    UnknownVariable { name: String },
    #[error("names no variable: all calls would be counted as one; there are {}", Variable::names())]
    NoVariable,
    #[error("is longer than {TEMPLATE_BYTES_MAX} bytes")]
    TooLong,
}

/// Longest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 512;

/// Text with variables, e.g. `$userId:$apiContext`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

impl KeyTemplate {
    /// # Errors
    /// An unknown variable, none at all, or too much text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong);
        }
        let mut pieces = text.split('$');
        let mut parts = Vec::new();
        if let Some(head) = pieces.next().filter(|head| !head.is_empty()) {
            parts.push(Part::Text(head.to_owned()));
        }
        for piece in pieces {
            let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
            let (name, rest) = piece.split_at(end);
            let variable =
                Variable::parse(name).ok_or_else(|| TemplateError::UnknownVariable { name: name.to_owned() })?;
            parts.push(Part::Variable(variable));
            if !rest.is_empty() {
                parts.push(Part::Text(rest.to_owned()));
            }
        }
        if !parts.iter().any(|part| matches!(part, Part::Variable(_))) {
            return Err(TemplateError::NoVariable);
        }
        Ok(Self(parts))
    }

    /// The key of a call.
    #[must_use]
    pub fn key(&self, facts: &dyn Facts) -> String {
        let mut key = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => key.push_str(text),
                Part::Variable(variable) => key.push_str(&facts.text(*variable)),
            }
        }
        key
    }
}
