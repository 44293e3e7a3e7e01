//! Which origin hears what: the CORS protocol of the Fetch standard, compiled from a configuration.

mod origin;

use config::sections::gateway::Cors as GlobalCors;
use domain::cors::CorsConfiguration;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderValue, ORIGIN,
    VARY,
};

use crate::router::{Verb, VerbSet};
use origin::OriginPattern;

/// The rules of one API, or of the gateway.
#[derive(Debug, Clone)]
pub struct CorsPolicy {
    /// `None` is any origin.
    origins: Option<Vec<OriginPattern>>,
    allows_credentials: bool,
    methods: VerbSet,
    headers: Vec<String>,
}

/// What holds for every API.
#[derive(Debug, Clone)]
pub struct GatewayCors {
    /// For APIs without rules of their own.
    pub fallback: CorsPolicy,
    expose_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
}

/// What the answer to one call says to browsers.
#[derive(Debug, Clone)]
pub struct CorsGrant {
    /// `None` when the origin may not read the answer.
    allow_origin: Option<HeaderValue>,
    allows_credentials: bool,
    /// Whether another origin would hear something else.
    varies: bool,
    expose_headers: Option<HeaderValue>,
    /// Whether the back end speaks for itself, because the API has an operation for preflights.
    pub yields_to_back_end: bool,
}

impl CorsPolicy {
    #[must_use]
    pub fn new(own: &CorsConfiguration) -> Self {
        Self::build(&own.allow_origins, &own.allow_methods, &own.allow_headers, own.allow_credentials)
    }

    fn build(origins: &[String], methods: &[String], headers: &[String], allows_credentials: bool) -> Self {
        let mut verbs = VerbSet::default();
        methods.iter().filter_map(|name| Verb::parse(name)).for_each(|verb| verbs.insert(verb));
        let is_any = origins.iter().any(|origin| origin == "*");
        Self {
            origins: (!is_any).then(|| origins.iter().map(|origin| OriginPattern::new(origin)).collect()),
            // A page of any origin must never act with its visitor's cookies.
            allows_credentials: allows_credentials && !is_any,
            methods: verbs,
            headers: headers.to_vec(),
        }
    }

    fn allow_origin(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        let Some(patterns) = &self.origins else { return Some(HeaderValue::from_static("*")) };
        let origin = origin?;
        let text = origin.to_str().ok()?;
        patterns.iter().any(|pattern| pattern.matches(text)).then(|| origin.clone())
    }
}

impl GatewayCors {
    /// `None` when CORS is switched off.
    #[must_use]
    pub fn from_config(config: &GlobalCors) -> Option<Self> {
        let max_age = config.max_age.get().as_secs();
        config.enabled.then(|| Self {
            fallback: CorsPolicy::build(
                &config.allow_origins,
                &config.allow_methods,
                &config.allow_headers,
                config.allow_credentials,
            ),
            expose_headers: joined(&config.expose_headers),
            max_age: (max_age > 0).then(|| HeaderValue::from(max_age)),
        })
    }

    /// What a call from the origin in `headers` hears under `policy`.
    #[must_use]
    pub fn grant(&self, policy: &CorsPolicy, headers: &HeaderMap) -> CorsGrant {
        CorsGrant {
            allow_origin: policy.allow_origin(headers.get(ORIGIN)),
            allows_credentials: policy.allows_credentials,
            varies: policy.origins.is_some(),
            expose_headers: self.expose_headers.clone(),
            yields_to_back_end: false,
        }
    }

    /// Headers that only the answer to a preflight has: what the page may send to a resource that has `verbs`.
    /// `own_headers` are the API's headers for credentials.
    pub fn write_preflight(
        &self,
        policy: &CorsPolicy,
        verbs: VerbSet,
        own_headers: [&str; 2],
        headers: &mut HeaderMap,
    ) {
        if let Ok(methods) = HeaderValue::try_from(verbs.intersection(policy.methods).to_string()) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        let mut names = policy.headers.clone();
        for own in own_headers {
            if !names.iter().any(|name| name.eq_ignore_ascii_case(own)) {
                names.push(own.to_owned());
            }
        }
        if let Some(names) = joined(&names) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        if let Some(max_age) = &self.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, max_age.clone());
        }
    }
}

impl CorsGrant {
    /// Marks an answer. What a back end says about origins gives way, unless it speaks for itself.
    pub fn write(&self, headers: &mut HeaderMap) {
        if self.yields_to_back_end && headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        if self.varies {
            add_vary_origin(headers);
        }
        let Some(origin) = &self.allow_origin else { return };
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if self.allows_credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(names) = &self.expose_headers {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
        }
    }

    /// Whether the page may read the answer at all.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.allow_origin.is_some()
    }
}

/// Caches must not give one origin what was made for another.
fn add_vary_origin(headers: &mut HeaderMap) {
    let names = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default().to_ascii_lowercase();
        text.split(',').any(|name| matches!(name.trim(), "origin" | "*"))
    };
    if !headers.get_all(VARY).iter().any(names) {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

fn joined(names: &[String]) -> Option<HeaderValue> {
    if names.is_empty() { None } else { HeaderValue::try_from(names.join(",")).ok() }
}

#[cfg(test)]
mod tests;
