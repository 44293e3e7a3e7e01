//! `limit` and `offset`, and the envelope of lists.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::Serialize;

use crate::problem::Problem;
use crate::query;
use crate::routes::BasePath;

/// Items of a page when the caller does not say.
pub const LIMIT_DEFAULT: u32 = 25;
/// Most items of a page; a larger wish is cut down to it.
pub const LIMIT_MAX: u32 = 1000;

/// The page that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagination {
    pub limit: u32,
    pub offset: u32,
    /// Path below the API's base, and the other parameters, for links to the neighbouring pages.
    path: String,
    other: Vec<(String, String)>,
}

/// A page of a list (WSO2 `{count, list, pagination}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListDto<T> {
    /// Items on this page.
    pub count: usize,
    pub list: Vec<T>,
    pub pagination: PaginationDto,
}

/// Where the page lies in the whole (WSO2 `Pagination`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaginationDto {
    pub offset: u32,
    pub limit: u32,
    /// Items of all pages.
    pub total: u64,
    /// Link relative to the API's base, empty on the last page.
    pub next: String,
    /// Link relative to the API's base, empty on the first page.
    pub previous: String,
}

/// A list that comes whole (WSO2 `{count, list}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WholeListDto<T> {
    pub count: usize,
    pub list: Vec<T>,
}

impl Pagination {
    /// Wraps the items of this page; `total` counts those of all pages.
    #[must_use]
    pub fn envelope<T>(&self, list: Vec<T>, total: u64) -> ListDto<T> {
        let after = self.offset.saturating_add(self.limit);
        let next = if self.limit > 0 && u64::from(after) < total { self.link(after) } else { String::new() };
        let previous = if self.limit > 0 && self.offset > 0 {
            self.link(self.offset.saturating_sub(self.limit))
        } else {
            String::new()
        };
        let pagination = PaginationDto { offset: self.offset, limit: self.limit, total, next, previous };
        ListDto { count: list.len(), list, pagination }
    }

    /// Cuts this page out of a list that is there in whole, and wraps it.
    #[must_use]
    pub fn envelope_of_all<T>(&self, all: Vec<T>) -> ListDto<T> {
        let total = all.len() as u64;
        let page = all.into_iter().skip(self.offset as usize).take(self.limit as usize).collect();
        self.envelope(page, total)
    }

    fn link(&self, offset: u32) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string()).append_pair("offset", &offset.to_string());
        query.extend_pairs(&self.other);
        format!("{}?{}", self.path, query.finish())
    }

    fn parse(path: &str, query: &str) -> Result<Self, Problem> {
        let mut page = Self { limit: LIMIT_DEFAULT, offset: 0, path: path.to_owned(), other: Vec::new() };
        for (name, value) in query::pairs(query) {
            match name.as_str() {
                "limit" => page.limit = parse_number("limit", &value)?.min(LIMIT_MAX),
                "offset" => page.offset = parse_number("offset", &value)?,
                _ => page.other.push((name, value)),
            }
        }
        Ok(page)
    }
}

impl<T> WholeListDto<T> {
    #[must_use]
    pub fn new(list: Vec<T>) -> Self {
        Self { count: list.len(), list }
    }
}

impl FromRequest for Pagination {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let base = request.app_data::<BasePath>().map_or("", |base| base.0);
        let path = request.path().strip_prefix(base).unwrap_or_else(|| request.path());
        ready(Self::parse(path, request.query_string()))
    }
}

fn parse_number(field: &str, value: &str) -> Result<u32, Problem> {
    value.parse().map_err(|_| {
        let value: String = value.chars().take(32).collect();
        Problem::invalid(field, format!("'{value}' is no whole number from 0 to {}", u32::MAX))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Pagination {
        Pagination::parse("/apis", query).unwrap()
    }

    #[test]
    fn a_page_starts_at_zero_and_has_25_items_unless_told_otherwise() {
        assert_eq!((page("").limit, page("").offset), (25, 0));
        assert_eq!((page("limit=5&offset=10").limit, page("limit=5&offset=10").offset), (5, 10));
        assert_eq!(page("limit=5000").limit, LIMIT_MAX);
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_field() {
        for (query, field) in [("limit=-1", "limit"), ("offset=x", "offset"), ("limit=99999999999", "limit")] {
            let error = Pagination::parse("/apis", query).unwrap_err();
            assert!(error.description().starts_with(field), "{error}");
        }
    }

    #[test]
    fn links_keep_the_other_parameters_and_end_at_the_ends() {
        let list = page("limit=2&offset=2&query=name%3Aa%20b").envelope(vec![1, 2], 5);
        assert_eq!((list.count, list.pagination.total), (2, 5));
        assert_eq!(list.pagination.next, "/apis?limit=2&offset=4&query=name%3Aa+b");
        assert_eq!(list.pagination.previous, "/apis?limit=2&offset=0&query=name%3Aa+b");
        let last = page("limit=2&offset=4").envelope(vec![5], 5);
        assert_eq!(last.pagination.next, "");
        assert_eq!(page("").envelope(vec![1], 1).pagination.previous, "");
    }

    #[test]
    fn an_offset_beyond_the_end_gives_an_empty_page() {
        let list = page("offset=10").envelope_of_all(vec![1, 2, 3]);
        assert_eq!((list.count, list.pagination.total), (0, 3));
    }
}
