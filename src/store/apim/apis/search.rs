//! The search index of APIs: one row per value that a query can ask for, kept in the transaction of every change.

use diesel::prelude::*;
use domain::Organization;
use domain::api::Api;
use domain::search::{ALTERNATIVES_MAX, Key, Pattern, Term, fold};
use serde_json::Value;

use super::Query;
use crate::apim::schema::{api_search, apis, revision_policies};
use crate::database::ApimConn;
use crate::error::StoreError;

/// Most characters of one value that can be found; of the text of a whole API ([`Key::Content`]).
const VALUE_CHARS_MAX: usize = 500;
const CONTENT_CHARS_MAX: usize = 4000;
/// Most values of one API, so that a change stays a small transaction.
const VALUES_MAX: usize = 100;
/// Key of the advanced policies that an API uses; no query has it.
const ADVANCED_POLICY: &str = "advanced policy";

/// Replaces the rows of `api`.
pub(super) fn index(conn: &mut ApimConn, api: &Api) -> Result<(), StoreError> {
    let id = api.id.to_string();
    diesel::delete(api_search::table.filter(api_search::api_id.eq(&id))).execute(conn.db())?;
    let values = values(api).into_iter().take(VALUES_MAX).map(|(key, value)| (key.as_index_key(), value));
    let policies = api.details.advanced_policies().into_iter();
    let policies = policies.map(|name| (ADVANCED_POLICY.to_owned(), name.to_owned()));
    for (position, (key, value)) in values.chain(policies).enumerate() {
        diesel::insert_into(api_search::table)
            .values((
                api_search::organization.eq(api.organization.as_str()),
                api_search::key.eq(key),
                api_search::api_id.eq(&id),
                api_search::position.eq(i32::try_from(position).unwrap_or(i32::MAX)),
                api_search::value.eq(value),
            ))
            .execute(conn.db())?;
    }
    Ok(())
}

/// APIs that name an advanced policy for themselves or for an operation, in the working copy or in a revision.
pub fn count_with_advanced_policy(
    conn: &mut ApimConn,
    organization: &Organization,
    name: &str,
) -> Result<i64, StoreError> {
    let working = api_search::table
        .filter(api_search::organization.eq(organization.as_str()))
        .filter(api_search::key.eq(ADVANCED_POLICY))
        .filter(api_search::value.eq(name))
        .select(api_search::api_id);
    let frozen = revision_policies::table
        .filter(revision_policies::organization.eq(organization.as_str()))
        .filter(revision_policies::policy.eq(name))
        .select(revision_policies::api_id);
    let users = apis::table.filter(apis::id.eq_any(working).or(apis::id.eq_any(frozen)));
    Ok(users.count().get_result(conn.db())?)
}

/// Every value by which `api` can be found.
fn values(api: &Api) -> Vec<(Key, String)> {
    let other = |name: &str| api.details.other.get(name).and_then(Value::as_str).unwrap_or_default();
    let labels = |name: &str| api.details.other.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let name = api.name.as_str();
    let display_name = Some(other("displayName")).filter(|text| !text.is_empty()).unwrap_or(name);
    let context = api.full_context();
    let mut values = vec![
        (Key::Content, content(api, &context)),
        (Key::Name, folded(name)),
        (Key::DisplayName, folded(display_name)),
        (Key::Version, folded(api.version.as_str())),
        (Key::Context, folded(api.context.as_str())),
        (Key::Context, folded(&context)),
        (Key::Provider, folded(&api.provider)),
        (Key::Status, folded(api.state.as_str())),
        (Key::Description, folded(other("description"))),
        (Key::Vendor, "wso2".to_owned()),
        (Key::Type, "api".to_owned()),
        (Key::Type, "http".to_owned()),
    ];
    for (key, field) in [(Key::Tag, "tags"), (Key::Category, "categories")] {
        values.extend(labels(field).iter().filter_map(Value::as_str).map(|label| (key.clone(), folded(label))));
    }
    values.extend(properties(api));
    values.retain(|(_, value)| !value.is_empty());
    values
}

/// `additionalProperties` is a list of objects, `additionalPropertiesMap` the same by name; clients send either.
fn properties(api: &Api) -> Vec<(Key, String)> {
    let property = |name: &str, value: &Value| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (Key::Property(folded(name)), folded(&value))
    };
    let listed = api.details.other.get("additionalProperties").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<(Key, String)> =
        listed.filter_map(|entry| Some(property(entry.get("name")?.as_str()?, entry.get("value")?))).collect();
    let mapped = api.details.other.get("additionalPropertiesMap").and_then(Value::as_object).into_iter().flatten();
    for (name, entry) in mapped {
        let one = property(name, entry.get("value").unwrap_or(entry));
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// What a search for plain words looks at.
fn content(api: &Api, context: &str) -> String {
    let mut text = format!("{} {} {context} {}", api.name.as_str(), api.version.as_str(), api.provider);
    let other = |name: &str| api.details.other.get(name);
    let labels = other("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let words = other("displayName").and_then(Value::as_str).into_iter();
    let words = words.chain(other("description").and_then(Value::as_str)).chain(labels);
    for word in words.chain(api.details.operations.iter().map(|operation| operation.target.as_str())) {
        if text.len() > CONTENT_CHARS_MAX {
            break;
        }
        text.push(' ');
        text.push_str(word);
    }
    fold(&text).chars().take(CONTENT_CHARS_MAX).collect()
}

fn folded(text: &str) -> String {
    let short: String = text.chars().take(VALUE_CHARS_MAX).collect();
    fold(&short)
}

/// Only the APIs that have one of the term's values.
pub(super) fn narrowed<'a>(query: Query<'a>, organization: &'a Organization, term: &'a Term) -> Query<'a> {
    // Names may differ in nothing but case, and a client that writes one in quotes means that one.
    let whole: Option<Vec<&str>> = term.patterns.iter().map(Pattern::as_exact).collect();
    match (&term.key, whole) {
        (Key::Name, Some(names)) => return query.filter(apis::name.eq_any(names)),
        (Key::Version, Some(versions)) => return query.filter(apis::version.eq_any(versions)),
        (Key::Provider, Some(providers)) => return query.filter(apis::provider.eq_any(providers)),
        _ => {}
    }
    let rows = api_search::table
        .filter(api_search::organization.eq(organization.as_str()))
        .filter(api_search::key.eq_any(term.key.index_keys()))
        .select(api_search::api_id);
    let like = |index: usize| {
        // A query of this many alternatives has one type: what it does not need repeats its first one.
        let pattern = term.patterns.get(index).or_else(|| term.patterns.first());
        api_search::value.like(pattern.map_or_else(String::new, Pattern::as_like)).escape('\\')
    };
    if term.patterns.len() == 1 {
        return query.filter(apis::id.eq_any(rows.filter(like(0))));
    }
    let any = like(0).or(like(1)).or(like(2)).or(like(3)).or(like(4)).or(like(5));
    query.filter(apis::id.eq_any(rows.filter(any)))
}

// The alternatives above.
const _: () = assert!(ALTERNATIVES_MAX == 6);
