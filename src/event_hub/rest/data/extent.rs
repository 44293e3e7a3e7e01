//! How much of a list a call asks for.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use http::pagination::{ListDto, Pagination, PaginationDto};
use http::problem::Problem;
use http::query::QueryParams;
use serde::Deserialize;
use store::apim::apis::Page;

/// Most entries of a list that comes whole.
const ENTRIES_MAX: u32 = 10_000;

/// The whole list, or with `limit` or `offset` a page of it. Tools that pull know no pages and must not take a part for
/// the whole: a list that is too long is refused unless it is asked for in pages.
pub(super) struct Extent(Option<Pagination>);

#[derive(Deserialize)]
struct Parameters {
    limit: Option<String>,
    offset: Option<String>,
}

impl Extent {
    /// What to read.
    pub(super) fn page(&self) -> Page {
        match &self.0 {
            Some(page) => Page { offset: page.offset, limit: page.limit },
            None => Page { offset: 0, limit: ENTRIES_MAX },
        }
    }

    /// Wraps what was read; `total` counts all that there is.
    ///
    /// # Errors
    /// 400 when the whole list was asked for and is too long.
    pub(super) fn envelope<T>(&self, list: Vec<T>, total: i64) -> Result<ListDto<T>, Problem> {
        let total = self.check(total)?;
        if let Some(page) = &self.0 {
            return Ok(page.envelope(list, total));
        }
        let (next, previous) = (String::new(), String::new());
        let pagination = PaginationDto { offset: 0, limit: ENTRIES_MAX, total, next, previous };
        Ok(ListDto { count: list.len(), list, pagination })
    }

    /// The number of all that there is, for answers without an envelope.
    ///
    /// # Errors
    /// As [`Self::envelope`].
    pub(super) fn check(&self, total: i64) -> Result<u64, Problem> {
        let total = u64::try_from(total).unwrap_or_default();
        if self.0.is_none() && total > u64::from(ENTRIES_MAX) {
            return Err(too_much(format!("the list has {total} entries, and {ENTRIES_MAX} at most come at once")));
        }
        Ok(total)
    }
}

/// 400 for an answer that must be asked for in pages, or smaller ones.
pub(super) fn too_much(reason: impl std::fmt::Display) -> Problem {
    Problem::invalid("limit", format!("{reason}: ask for pages with limit and offset"))
}

impl FromRequest for Extent {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let extent = || {
            let QueryParams(Parameters { limit, offset }) =
                QueryParams::from_request(request, &mut Payload::None).into_inner()?;
            if limit.is_none() && offset.is_none() {
                return Ok(Self(None));
            }
            Pagination::from_request(request, &mut Payload::None).into_inner().map(Some).map(Self)
        };
        ready(extent())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn extent(query: &str) -> Result<Extent, Problem> {
        let request = TestRequest::get().uri(&format!("/apis?{query}")).to_http_request();
        Extent::from_request(&request, &mut Payload::None).into_inner()
    }

    #[test]
    fn a_list_comes_whole_or_not_at_all_unless_pages_are_asked_for() {
        let whole = extent("limit=&context=a").unwrap();
        assert_eq!(whole.envelope(vec![1, 2], 2).unwrap().pagination.total, 2);
        let error = whole.envelope(vec![1, 2], 10_001).unwrap_err();
        assert!(error.description().starts_with("limit: the list has 10001 entries"), "{error}");
        let page = extent("limit=2").unwrap();
        assert_eq!((page.page().offset, page.page().limit), (0, 2));
        assert_eq!(page.envelope(vec![1, 2], 10_001).unwrap().pagination.next, "/apis?limit=2&offset=2");
    }

    #[test]
    fn a_page_that_is_no_number_is_refused_by_name() {
        for query in ["limit=x", "offset=-1"] {
            let error = extent(query).err().unwrap();
            assert!(query.starts_with(error.description().split(':').next().unwrap()), "{error}");
        }
    }
}
